/** Prints one line of progress on stderr, with the seconds since the process began. */
export function say(line: string): void {
  const seconds = (performance.now() / 1000).toFixed(1).padStart(5);
  process.stderr.write(`[${seconds} s] ${line}\n`);
}
