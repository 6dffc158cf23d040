import { canonicalMicroTime, canonicalTime } from "./go-time.ts";
import { goKindOf, isJsonObject, isRawNumber, type Json, type JsonObject } from "./json.ts";
import { canonicalQuantity } from "./quantity.ts";
import { type FieldType, goStructName, type Schema } from "./schema.ts";
import { isDroppedZero } from "./zero-values.ts";

/** An object as the server would store it, and the paths of the fields that it does not know and has dropped. */
export interface Decoded {
  object: JsonObject;
  unknownFields: string[];
}

interface Place {
  schema: Schema;
  unknownFields: string[];
  /** Name of the Go struct and the names of the fields down to here, as Go's errors print them. */
  struct: string;
  fields: readonly string[];
  /** The same with list positions, as warnings print it. */
  path: string;
}

/** Reads an object as Go's decoder would; throws an Error in its words where a value has the wrong type. */
export function decode(schema: Schema, model: string, json: JsonObject): Decoded {
  const unknownFields: string[] = [];
  const place: Place = { schema, unknownFields, struct: goStructName(model), fields: [], path: "" };
  return { object: decodeStruct(model, json, place), unknownFields };
}

function decodeStruct(model: string, json: JsonObject, at: Place): JsonObject {
  const known = at.schema.get(model);
  const struct = goStructName(model);
  const out: JsonObject = {};
  for (const [name, value] of Object.entries(json)) {
    const type = known?.get(name);
    const path = at.path ? `${at.path}.${name}` : name;
    if (!type) at.unknownFields.push(path);
    else if (value !== null) {
      const decoded = decodeValue(type, value, `${struct}.${name}`, {
        ...at,
        struct,
        fields: [...at.fields, name],
        path,
      });
      if (!isDroppedZero(`${struct}.${name}`, decoded) && !isEmptyMap(type, decoded)) out[name] = decoded;
    }
  }
  return out;
}

const isEmptyMap = (type: FieldType, value: Json) => type.is === "map" && Object.keys(value as object).length === 0;

function decodeValue(type: FieldType, value: Json, id: string, at: Place): Json {
  switch (type.is) {
    case "struct":
      if (!isJsonObject(value)) throw wrongType(type, value, at);
      return decodeStruct(type.name, value, at);
    case "list":
      if (!Array.isArray(value)) throw wrongType(type, value, at);
      return value.map((item, i) => decodeItem(type.of, item, id, { ...at, path: `${at.path}[${i}]` }));
    case "map":
      if (!isJsonObject(value)) throw wrongType(type, value, at);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeItem(type.of, item, id, at)]));
    case "any":
      return value;
    default:
      return decodeScalar(type, value, at);
  }
}

const decodeItem = (type: FieldType, item: Json, id: string, at: Place) =>
  item === null ? zeroOf(type) : decodeValue(type, item, id, at);

function decodeScalar(type: FieldType, value: Json, at: Place): Json {
  if (type.is === "quantity" && (typeof value === "string" || isNumber(value))) {
    return canonicalQuantity(isRawNumber(value) ? value.rawJSON : String(value));
  }
  if (type.is === "boolean" && typeof value === "boolean") return value;
  if (type.is === "intOrString" && (typeof value === "string" || isInteger(value, "int32"))) return value;
  if ((type.is === "int32" || type.is === "int64") && isInteger(value, type.is)) return value;
  if (typeof value !== "string") throw wrongType(type.is === "string" ? type : asText(type), value, at);
  if (type.is === "time") return canonicalTime(value);
  if (type.is === "microTime") return canonicalMicroTime(value);
  if (type.is === "string") return value;
  throw wrongType(type, value, at);
}

/** Times are read as text first. */
const asText = (type: FieldType): FieldType =>
  type.is === "time" || type.is === "microTime" ? { is: "string" } : type;

/** What Go leaves in a list or a map where null was given. */
function zeroOf({ is }: FieldType): Json {
  if (is === "boolean") return false;
  if (is === "int32" || is === "int64") return 0;
  if (is === "list") return [];
  return is === "struct" || is === "map" || is === "any" ? {} : "";
}

const isNumber = (value: Json) => typeof value === "number" || isRawNumber(value);

function isInteger(value: Json, size: "int32" | "int64"): boolean {
  const text = isRawNumber(value) ? value.rawJSON : typeof value === "number" ? String(value) : "";
  return /^-?\d+$/.test(text) && BigInt.asIntN(size === "int32" ? 32 : 64, BigInt(text)) === BigInt(text);
}

function wrongType(type: FieldType, value: Json, at: Place): Error {
  const isInt = type.is === "int32" || type.is === "int64";
  // Go names the number itself only where an integer was expected and another number came.
  const kind = typeof value === "number" && isInt ? `number ${value}` : goKindOf(value);
  const said = isInt ? kind : kind.replace(/^number .*/, "number");
  return new Error(
    `json: cannot unmarshal ${said} into Go struct field ${at.struct}.${at.fields.join(".")} of type ${goType(type)}`,
  );
}

function goType(type: FieldType): string {
  if ("of" in type) return type.is === "list" ? `[]${goType(type.of)}` : `map[string]${goType(type.of)}`;
  if ("name" in type) return `v1.${goStructName(type.name)}`;
  return type.is === "boolean" ? "bool" : type.is;
}
