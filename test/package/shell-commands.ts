/** What a script is made of: `<<WORD`, a redirection, the end of a command, a comment, a word with its quotations. */
const parts =
  /<<-?\s*(?<here>\S+)|\d?[<>]+&?\s*(?:[^\s'"|&;<>]+|'[^']*'|"[^"]*")|(?<end>\|\||&&|[|;&\n])|(?<=^|\s)#[^\n]*|(?<word>(?:[^\s'"\\|&;<>]|\\.|'[^']*'|"[^"]*")+)/g;

/**
 * The commands of a shell script, each as its words, in order; redirections, here-documents and comments left out.
 * Knows what documents hold: no substitutions, loops or conditions.
 */
export function shellCommands(script: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  const joined = withoutHereDocuments(script.replace(/\\\n/g, ' '));
  for (const { groups } of joined.matchAll(parts)) {
    if (groups?.['end'] !== undefined) commands.push([]);
    if (groups?.['word'] !== undefined) commands.at(-1)?.push(unquoted(groups['word']));
  }
  return commands.filter((words) => words.length > 0);
}

function withoutHereDocuments(script: string): string {
  return script.replace(/<<-?\s*(['"]?)(\w+)\1([^\n]*\n)[^]*?^\s*\2$/gm, '$3');
}

function unquoted(word: string): string {
  return word.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, (_, single?: string, double?: string, escaped?: string) =>
    [single, double, escaped].join(''),
  );
}
