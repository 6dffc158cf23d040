/** A text meant to break what reads it, and what it tries. */
type Hostile = { kind: string; text: string };

const controls = Array.from({ length: 33 }, (_, code) => String.fromCharCode(code === 32 ? 127 : code));
const c1Controls = Array.from({ length: 32 }, (_, index) => String.fromCharCode(0x80 + index));
const latin1 = Array.from({ length: 96 }, (_, index) => String.fromCharCode(0xa0 + index));
const punctuation = [..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "];
const dots = [
  "../",
  "..\\",
  "..%2f",
  "%2e%2e/",
  "%2e%2e%2f",
  "..%5c",
  "%252e%252e%252f",
  "..%c0%af",
  "..%ef%bc%8f",
  "..;/",
];
const targets = ["etc/passwd", "api/v1/secrets", "apis/batch/v1/namespaces/kube-system/jobs", "proc/self/environ"];
const prototypeNames = [
  ...["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__defineGetter__"],
  ...["__lookupGetter__", "isPrototypeOf", "then", "toJSON", "length", "name", "caller", "arguments"],
  ...["__proto__.polluted", "constructor.prototype.polluted", "__proto__[polluted]", "constructor[prototype][a]"],
];
const unicode = [
  ..."\u00ad\u0300\u034f\u061c\u115f\u1680\u17b4\u180e\u2000\u200b\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2060",
  ..."\u2066\u2069\u206f\u3000\u3164\ufdfa\ufe0f\ufeff\uff0e\uff0f\uffa0\ufff9\ufffd\ufffe\uffff",
  ...["\ud800", "\udc00", "\udc00\ud800", "😀", "👩‍👩‍👧‍👦", "\u{e0001}", "\u{1d173}", "\u{10ffff}"],
  ...[
    "e\u0301",
    "İ",
    "ı",
    "ſ",
    "K",
    "ß",
    "ﬃ",
    "a\u0300".repeat(60),
    "سلام",
    "\u202egnp.exe",
    "日本語",
    "\u0130".toLowerCase(),
  ],
];
const injections = [
  ...[
    "' OR '1'='1",
    '"; DROP TABLE jobs;--',
    "$(reboot)",
    "`reboot`",
    "; reboot",
    "| reboot",
    "&& reboot",
    "\n reboot",
  ],
  ...["\u0024{jndi:ldap://127.0.0.1/a}", "{{7*7}}", "\u0024{7*7}", "#{7*7}", "<%= 7*7 %>", "<script>alert(1)</script>"],
  ...["<!--#exec cmd=ls-->", "<?xml version='1.0'?><!DOCTYPE a SYSTEM 'file:///etc/passwd'>", "javascript:alert(1)"],
  ...[
    "http://127.0.0.1/",
    "file:///etc/passwd",
    "//evil.example/",
    "http://[::1]/",
    "gopher://127.0.0.1:1/_",
    "data:,x",
  ],
  ...["%s%s%s%n", "%d", "%x%x", "\\u0000", "\\x00", "\\n", "\\r\\n", "*", "?", "\0x", "null", "undefined", "NaN"],
  ...[
    "true",
    "false",
    "0",
    "-1",
    "-0",
    "1e309",
    "0x10",
    "1_000",
    "９",
    "٣",
    "1".repeat(400),
    "Infinity",
    "[object Object]",
  ],
  ...["metadata.name=x,status=y", "a=b&c=d", "a,b", "a;b", "a=b", "limit=1&continue=x", "?watch=true", "&follow=true"],
];
const headerBreaks = [
  ...[
    "\r\nX-Injected: yes",
    "\nX-Injected: yes",
    "\rX-Injected: yes",
    "%0d%0aX-Injected: yes",
    "%0aX: y",
    "%E5%98%8A%E5%98%8D",
  ],
  ...[
    "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "\r\n\r\nPOST /trigger-sync HTTP/1.1\r\nHost: h\r\n\r\n",
    "a\r\n b",
    "a\r\n\tb",
    "\\r\\nX: y",
  ],
];
const terminals = [
  ...[
    "\u001b[2J",
    "\u001b[31mred",
    "\u001b]0;title\u0007",
    "\u001b]8;;http://evil.example\u0007x",
    "\u009b31m",
    "\u001bP1$q\u001b\\",
  ],
  ...["\u0008\u0008\u0008", "a\rb", "\u001b[1;1H", "\u000e", "\u007f", "\u001bc"],
];
const percents = [
  "%",
  "%%",
  "%z",
  "%zz",
  "%0",
  "%00",
  "%ff",
  "%c0%80",
  "%ed%a0%80",
  "%f4%90%80%80",
  "%u0041",
  "%25",
  "%2525",
  "%e2%80%a8",
  "%1b[2J",
];
const jsonBreaks = [
  '"',
  '\\"',
  '","level":"fatal","x":"',
  '"}\n{"level":"fatal"}',
  "\\",
  "\\\\",
  '{"a":1}',
  "[]",
  "\\ud800",
  "//",
  "/*",
  "'",
];
const names = [
  "..",
  ".",
  "-",
  "-a",
  "a-",
  "A",
  "a_b",
  "a/b",
  "a b",
  "a..b",
  "a".repeat(64),
  "a".repeat(254),
  "latest/",
  "latest%00",
  "LATEST",
  "running/",
  "running%2flogs",
];
const lengths = [0, 1, 63, 64, 128, 255, 256, 257, 1_023, 2_047, 2_048, 2_049, 4_096, 8_000].map((length) =>
  "x".repeat(length),
);
const times = [
  "2026-11-23T21:00:00Z",
  "0000-00-00T00:00:00Z",
  "9999-12-31T23:59:60Z",
  "2026-02-30T00:00:00Z",
  "2026-11-23",
  "now",
  "1e3",
  "+275760-09-13T00:00:00Z",
  "-000001-01-01T00:00:00Z",
  "2026-11-23T21:00:00+99:99",
];
const mediaTypes = [
  "application/json",
  "application/json;charset=utf-7",
  'application/json;charset="utf-8',
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
  "application/cloudevents+json;a=b;a=c",
  "text/plain",
  "*/*",
  "a/b;",
  ";",
  "/",
  "application/json, text/html",
  "multipart/form-data; boundary=x",
];
const preferences = [
  "wait=1, wait=0",
  "wait=-1",
  "wait=1e9",
  'wait="',
  'wait="1"',
  "wait=99999999999999999999",
  "wait",
  "respond-async, wait=x",
  "=",
  ",,,,",
  "wait =0",
];
const credentials = [
  "Bearer",
  "Bearer ",
  "Bearer  ",
  "bearer x",
  "Basic Og==",
  "Bearer a b",
  "Bearer \u00e9",
  "Bearer =",
  "Bearer a.b.c",
  "Bearer eyJhbGciOiJub25lIn0.e30.",
  "Digest x",
  "Bearer a,Bearer b",
  "x".repeat(8_000),
];
const traces = [
  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "00-00000000000000000000000000000000-0000000000000000-00",
  "00-",
  "01-a-b-c",
  "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
];
const durations = ["0s", "-1h", "26h", "1h1h1h", "999999999d", "9999999999d", "1.5h", "PT1H", "h", "1 h", "1y", "１h"];

const kinds: Record<string, string[]> = {
  "control characters": controls.flatMap((control) => [control, `a${control}b`]),
  "C1 controls": c1Controls.flatMap((control) => [control, `a${control}b`]),
  latin1: latin1,
  punctuation: punctuation.flatMap((character) => [character, character.repeat(40)]),
  "path traversal": dots.flatMap((dot) => targets.map((target) => dot.repeat(6) + target)),
  "prototype names": prototypeNames,
  unicode,
  injections,
  "header breaks": headerBreaks,
  "terminal sequences": terminals,
  "percent encodings": percents,
  "JSON breaks": jsonBreaks,
  names,
  lengths,
  times,
  "media types": mediaTypes,
  preferences,
  credentials,
  traces,
  durations,
};

/** The texts, each once; a lone surrogate stands for what UTF-8 cannot say. */
export const hostileStrings: Hostile[] = Object.entries(kinds)
  .flatMap(([kind, texts]) => texts.map((text) => ({ kind, text })))
  .filter(({ text }, index, all) => all.findIndex((other) => other.text === text) === index);
