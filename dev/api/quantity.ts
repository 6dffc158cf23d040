const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?))$/;
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const nano = 10n ** 9n;
const milli = 10n ** 6n;

/** Go's message for what is no quantity. */
const notAQuantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

interface Parsed {
  /** In billionths, so that every unit is whole; what is left is rounded up, as Go does. */
  nanos: bigint;
  form: "binary" | "decimal" | "exponential";
}

function parse(text: string): Parsed {
  const match = syntax.exec(text);
  const [, sign = "", whole = "", fraction = "", exponent, suffix = ""] = match ?? [];
  if (!match || whole + fraction === "") throw new Error(notAQuantity);
  const power = exponent ? Number(exponent.slice(1)) : suffixPower(suffix);
  const binary = suffix.endsWith("i");
  const scale = binary ? 1024n ** BigInt(binarySuffixes.indexOf(suffix)) : 1n;
  const shift = 9 + (binary ? 0 : power) - fraction.length;
  const digits = BigInt(whole + fraction) * scale;
  const nanos = shift >= 0 ? digits * 10n ** BigInt(shift) : roundUp(digits, 10n ** BigInt(-shift));
  return { nanos: sign === "-" ? -nanos : nanos, form: binary ? "binary" : exponent ? "exponential" : "decimal" };
}

/** A quantity in billionths, to compare it; throws in Go's words. */
export const quantityNanos = (text: string) => parse(text).nanos;

/**
 * A resource.Quantity as the server stores it ("0.5" -> "500m", "1024Mi" -> "1Gi"); throws in Go's words. Nothing finer
 * than a thousandth is kept, as for the resources of a container. Odd spellings ("+1", "1.25e2") a real server leaves.
 */
export function canonicalQuantity(text: string): string {
  const { nanos, form } = parse(text);
  const size = roundUp(nanos < 0n ? -nanos : nanos, milli) * milli;
  if (size === 0n) return "0";
  const number = form === "binary" && size % nano === 0n ? binaryForm(size / nano) : decimalForm(size, form);
  return (nanos < 0n ? "-" : "") + number;
}

const suffixPower = (suffix: string) => 3 * (decimalSuffixes.indexOf(suffix) - 3);

const roundUp = (value: bigint, by: bigint) => (value + by - 1n) / by;

function binaryForm(value: bigint): string {
  let power = 0;
  let rest = value;
  while (rest % 1024n === 0n && power < binarySuffixes.length - 1) {
    rest /= 1024n;
    power += 1;
  }
  return `${rest}${binarySuffixes[power]}`;
}

function decimalForm(nanos: bigint, form: Parsed["form"]): string {
  let power = -9;
  let rest = nanos;
  while (rest % 1000n === 0n && power < 18) {
    rest /= 1000n;
    power += 3;
  }
  if (form === "exponential") return power === 0 ? `${rest}` : `${rest}e${power}`;
  return `${rest}${decimalSuffixes[power / 3 + 3]}`;
}
