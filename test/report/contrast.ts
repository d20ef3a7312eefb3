import type { Page } from 'playwright-core';

/** A text whose colour is too near to that of what is behind it. */
interface Faint {
  readonly text: string;
  readonly of: string;
  readonly ratio: number;
}

/**
 * Goes through the texts of a page as they are shown, in the page itself: the colour of each over the first opaque background
 * behind it, and their contrast as WCAG 2 defines it (relative luminance of sRGB). Colours may be translucent.
 */
const measure = `(() => {
  const parsed = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
    // color(srgb ...) counts from 0 to 1.
    const scale = colour.startsWith('color(') ? 255 : 1;
    return [red * scale, green * scale, blue * scale, alpha];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (element === null) return [255, 255, 255, 1];
    const own = parsed(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  let count = 0;
  let smallest = Infinity;
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === '' || element.closest('script, style, template, noscript') !== null) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const text = over(parsed(element instanceof SVGElement ? style.fill : style.color), back);
    const [dark, light] = [luminance(text), luminance(back)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    count++;
    smallest = Math.min(smallest, ratio);
    if (ratio < 4.5) faint.push({ text: node.data.slice(0, 40), of: element.tagName + '.' + element.getAttribute('class'), ratio });
  }
  return { count, smallest, faint };
})()`;

/** @returns how many texts are shown, the smallest contrast, and those below 4.5:1, what WCAG 2 AA asks for */
export function contrasts(page: Page): Promise<{ count: number; smallest: number; faint: Faint[] }> {
  return page.evaluate(measure);
}
