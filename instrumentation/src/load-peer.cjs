// Loads the optional peers that are installed. CommonJS, because only `require` can look up a package synchronously. Every
// name is a literal argument of `require`, so that bundlers see it.

const load = {
  '@prometheus-io/client': () => require('@prometheus-io/client'),
  'prom-client': () => require('prom-client'),
  '@opentelemetry/api': () => require('@opentelemetry/api'),
};

/**
 * @param {keyof typeof load} name
 * @returns {unknown} the package, or undefined if it is not installed; errors while it loads are thrown
 */
exports.loadPeer = function loadPeer(name) {
  try {
    return load[name]();
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND' && error.message.includes(`'${name}'`)) return undefined;
    throw error;
  }
};
