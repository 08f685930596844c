/** Workers that differ in the same way cause the same warning. @returns a function that passes each message to `warn` once */
export function oncePerMessage(warn: (message: string) => void): (message: string) => void {
  const warned = new Set<string>();
  return (message) => {
    if (!warned.has(message)) warn(message);
    warned.add(message);
  };
}
