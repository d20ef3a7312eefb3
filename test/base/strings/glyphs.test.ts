import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fit, glyphs, textWidth } from '../../../src/base/strings/glyphs.ts';

test('columns of letters, wide characters and combining marks', () => {
  assert.equal(textWidth('web'), 3);
  assert.equal(textWidth('日本'), 4);
  assert.equal(textWidth('e\u0301'), 1, 'e with a combining acute');
  assert.equal(textWidth('👍🏽'), 2, 'an emoji with a skin tone');
  assert.equal(textWidth('ｱ'), 1, 'half-width katakana');
});

test('a text is filled or cut to exactly as many columns, never through a wide character', () => {
  assert.equal(fit('web', 5), 'web  ');
  assert.equal(fit('webserver', 5), 'webse');
  assert.equal(fit('日本語', 5), '日本 ');
  assert.equal(fit('e\u0301e\u0301e\u0301', 2), 'e\u0301e\u0301');
  for (const text of ['', 'web', '日本語', 'a日b本c', 'e\u0301'])
    assert.equal(textWidth(fit(text, 4)), 4, text);
});

test('what a terminal would obey is shown as a question mark', () => {
  assert.equal(fit('a\x1b[31mb\x07\u009b2J\u202e', 12), 'a?[31mb??2J?');
  assert.deepEqual(
    glyphs('\u0301a').map(({ text }) => text),
    ['?', 'a'],
    'a mark that has no letter',
  );
});

test('a pile of marks on one letter stays within bounds', () => {
  const [glyph] = glyphs(`a${'\u0301'.repeat(1000)}`);
  assert.equal(glyph?.width, 1);
  assert.ok(glyph.text.length <= 16);
});
