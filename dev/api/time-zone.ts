/** Whether a name is one of the IANA database, in its own spelling: files on a disk have capital letters, Intl has none. */
export function isTimeZone(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    // A link resolves to another name, whose spelling says nothing of its own.
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
