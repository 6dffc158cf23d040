/** The rows of the one table between `<!-- name -->` and `<!-- /name -->`, without its heading; throws when there is none. */
export function readTable(markdown: string, name: string): string[][] {
  const parts = markdown.split(`<!-- ${name} -->`);
  const [section, end] = parts[1]?.split(`<!-- /${name} -->`) ?? [];
  if (parts.length !== 2 || section === undefined || end === undefined) {
    throw new Error(`expected one section between <!-- ${name} --> and <!-- /${name} -->`);
  }
  const lines = section
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("|"));
  return lines.slice(2).map(toCells);
}

function toCells(line: string): string[] {
  return line
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}
