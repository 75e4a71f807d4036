/**
 * Bodies that a server could answer with, and that nobody should fall for.
 */

const text = "9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51"
const cap = 2 ** 20

const fields = `"id":"${text}","expires_at":"2099-01-01T00:00:00Z"`
const withKey = (key: string, value: string) => `{"${key}":${value},${fields}}`
const fill = (before: string, after: string, size: number) =>
  before + "x".repeat(size - before.length - after.length) + after
const list = (item: string, size: number) =>
  `[${Array.from({ length: Math.floor(size / (item.length + 1)) - 1 }, () => item).join()}]`
const deep = (open: string, close: string, levels = 100_000) => open.repeat(levels) + close.repeat(levels)
/** `%` becomes a byte that UTF-8 does not have. */
const notUtf8 = (body: string) => Buffer.from(body.replaceAll("%", "\u00ff"), "latin1")

export type Body = string | Buffer

/** The answer is a session all the same: what the contract does not know is ignored. */
export const sessions: Readonly<Record<string, Body>> = {
  "with __proto__, constructor and prototype": `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":{"polluted":1},${fields}}`,
  "with keys that objects have methods for": `{"toString":1,"valueOf":1,"hasOwnProperty":1,"then":1,"toJSON":1,${fields}}`,
  "with 100,000 lists in each other": withKey("more", deep("[", "]")),
  "with 100,000 objects in each other": withKey("more", `${deep('{"a":', "", 100_000)}1${"}".repeat(100_000)}`),
  "with a number that is too large": withKey("more", "1e999"),
  "with half a character, and none": withKey("more", '"\\ud800 \\u0000"'),
  "with bytes that are no UTF-8": notUtf8(withKey("more", '"%%"')),
  "with keys twice, the right ones last": `{"id":"../x","id":null,"expires_at":"x",${fields}}`,
  "after a mark of the byte order": `\ufeff{${fields}}`,
  "as large as may be": fill('{"more":"', `",${fields}}`, cap)
}

/** These look like one, or like nothing at all. */
export const strange: Readonly<Record<string, Body>> = {
  "a session in __proto__": `{"__proto__":{${fields}}}`,
  "a session in constructor.prototype": `{"constructor":{"prototype":{${fields}}}}`,
  "a list of one session": `[{${fields}}]`,
  "two sessions": `{${fields}}{${fields}}`,
  "a session in a text": JSON.stringify(`{${fields}}`),
  "100,000 lists in each other": deep("[", "]"),
  "100,000 lists as the id": `{"id":${deep("[", "]")},"expires_at":"2099-01-01T00:00:00Z"}`,
  "lists without an end": "[".repeat(cap),
  "a list of numbers, as large as may be": list("7", cap),
  "a list of objects, as large as may be": list('{"__proto__":{"polluted":1}}', cap),
  "a text as large as may be": fill('"', '"', cap),
  "a session in UTF-16": Buffer.from(`{${fields}}`, "utf16le"),
  "a session and a NUL": `{${fields}}\0`,
  "a NUL in the id": `{${fields.replace("9d5f", "9d\\u0000")}}`,
  "half a character in the id": `{${fields.replace("9d5f", "\\udfff")}}`,
  "bytes that are no UTF-8 in the id": notUtf8(`{${fields.replace("9d5f", "%%%%")}}`),
  "bytes that are no UTF-8": notUtf8("%".repeat(100)),
  "an id that climbs": `{${fields.replace(text, "../../admin")}}`,
  "an id of a megabyte": fill('{"id":"', '","expires_at":"2099-01-01T00:00:00Z"}', cap),
  "a number that is too large": "1e999",
  "an expiry that is too large": `{"id":"${text}","expires_at":1e999}`,
  "keys twice, the wrong ones last": `{${fields},"id":"../x"}`
}

/** What an error body may hold instead of an error. */
export const errors: Readonly<Record<string, Body>> = {
  "an error in __proto__": '{"__proto__":{"type":"error","code":"inherited","message":"inherited"}}',
  "an error with __proto__ and constructor":
    '{"type":"error","__proto__":{"code":"inherited","message":"inherited","polluted":1},"constructor":{"prototype":{"polluted":1}},"details":[{"__proto__":{"location":"inherited","polluted":1},"constructor":1}]}',
  "fields that are no text":
    '{"type":"error","code":1e999,"message":{"toString":1},"status":1e999,"details":{"length":9}}',
  "100,000 lists in every field": `{"type":"error","code":${deep("[", "]")},"message":${deep("[", "]")},"details":[{"location":${deep("[", "]")}}]}`,
  "a message as large as may be": fill('{"type":"error","message":"', '"}', cap),
  "a message of nothing but digits": `{"message":"${"1 ".repeat(cap / 2 - 20)}"}`,
  "a message of nothing but tokens": `{"message":"${"bearer  eyJa.".repeat(cap / 13 - 20)}"}`,
  "a message of half characters and NULs": '{"message":"\\ud800\\u0000\\udfff","code":"\\u0000"}',
  "a message that is no UTF-8": notUtf8('{"message":"%%"}'),
  "details without an end": `{"type":"error","details":${list('{"message":"x","__proto__":{"polluted":1}}', cap - 40)}}`,
  "a path without an end": `{"detail":[{"loc":${list('"x"', cap - 40)}}]}`,
  "a path of long words": `{"detail":[{"loc":["body",${fill('"', '"', 1900)},${fill('"', '"', 1900)}]}]}`,
  "a path of anything":
    '{"detail":[{"loc":[1e999,null,{"toString":1},["body"],"__proto__"]},{"loc":{"length":1e9}},[]]}'
}

/** A session all the same, but for its size. */
export const overTheCap = fill('{"more":"', `",${fields}}`, cap + 1)
