/** What a field of a Kubernetes object may hold. */
export type FieldType =
  | { is: "string" | "boolean" | "int32" | "int64" | "time" | "microTime" | "quantity" | "intOrString" | "any" }
  | { is: "struct"; name: string }
  | { is: "list" | "map"; of: FieldType };

/** The fields of each struct, by the struct's Go name. */
export type Schema = ReadonlyMap<string, ReadonlyMap<string, FieldType>>;

interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

type Model = { getAttributeTypeMap(): Attribute[] };

// Strings in the client's models that Go parses as resource.Quantity.
const quantities = new Set([
  "ResourceRequirements.limits",
  "ResourceRequirements.requests",
  "VolumeResourceRequirements.limits",
  "VolumeResourceRequirements.requests",
  "EmptyDirVolumeSource.sizeLimit",
  "ResourceFieldSelector.divisor",
  "PodSpec.overhead",
]);

/** `V1Container` and `CoreV1Event` as Go calls them: `Container`, `Event`. */
export const goStructName = (model: string) => model.replace(/^[A-Z][a-z]*?V1(?=[A-Z])|^V1/, "");

function fieldType(id: string, type: string, format: string): FieldType {
  const list = /^Array<(.*)>$/.exec(type);
  if (list?.[1]) return { is: "list", of: fieldType(id, list[1], format) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map?.[1]) return { is: "map", of: fieldType(id, map[1], format) };
  if (type === "string") return { is: quantities.has(id) ? "quantity" : "string" };
  if (type === "boolean") return { is: "boolean" };
  if (type === "number") return { is: format === "int64" ? "int64" : "int32" };
  if (type === "Date") return { is: "time" };
  if (type === "V1MicroTime") return { is: "microTime" };
  if (type === "IntOrString") return { is: "intOrString" };
  return /V1[A-Z]/.test(type) ? { is: "struct", name: type } : { is: "any" };
}

const structsIn = (type: FieldType): string[] =>
  "of" in type ? structsIn(type.of) : "name" in type ? [type.name] : [];

async function readModel(name: string): Promise<Map<string, FieldType>> {
  // One file a model: importing the package's index would load a thousand of them.
  const file = (await import(`@kubernetes/client-node/dist/gen/models/${name}.js`)) as Record<string, Model>;
  const attributes = file[name]?.getAttributeTypeMap() ?? [];
  const struct = goStructName(name);
  return new Map(attributes.map((a) => [a.baseName, fieldType(`${struct}.${a.baseName}`, a.type, a.format)]));
}

/** Reads the fields of the named models and of all that they contain from @kubernetes/client-node, generated from 1.36. */
export async function loadSchema(models: readonly string[]): Promise<Schema> {
  const schema = new Map<string, Map<string, FieldType>>();
  let wanted = [...models];
  while (wanted.length > 0) {
    const read = await Promise.all(wanted.map(async (name) => [name, await readModel(name)] as const));
    for (const [name, fields] of read) schema.set(name, fields);
    const inner = new Set(read.flatMap(([, fields]) => [...fields.values()].flatMap(structsIn)));
    wanted = [...inner].filter((name) => !schema.has(name));
  }
  return schema;
}
