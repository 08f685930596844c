/** What `kubectl create configmap` sends: a runtime.Unknown of Kubernetes with a ConfigMap in it, as protobuf. */

/** The length-delimited fields of a message, the only ones that it has. */
function fieldsOf(message: Buffer): [number, Buffer][] {
  const fields: [number, Buffer][] = [];
  let at = 0;
  const varint = () => {
    let [value, factor, byte] = [0, 1, 0x80];
    for (; byte >= 0x80; factor *= 128) {
      byte = message[at++] ?? 0;
      value += (byte % 128) * factor;
    }
    return value;
  };
  while (at < message.length) {
    const tag = varint();
    const length = varint();
    fields.push([tag >> 3, message.subarray(at, at + length)]);
    at += length;
  }
  return fields;
}

const field = (message: Buffer, number: number) => new Map(fieldsOf(message)).get(number) ?? Buffer.alloc(0);

/** Four bytes, "k8s" and 0, say that what follows is protobuf. */
export const isProtobuf = (body: Buffer) => body.subarray(0, 4).toString('latin1') === 'k8s\0';

export function configMapOf(body: Buffer) {
  const message = field(body.subarray(4), 2);
  const entries = (number: number, encoding: BufferEncoding) => {
    const found = fieldsOf(message).filter(([one]) => one === number);
    return Object.fromEntries(found.map(([, e]) => [field(e, 1).toString(), field(e, 2).toString(encoding)]));
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: field(field(message, 1), 1).toString() },
    data: entries(2, 'utf8'),
    binaryData: entries(3, 'base64'),
  };
}
