// What is installed of the optional peers. CommonJS, because `require` alone looks for a package without waiting; all names
// stand in a call of it, so that bundlers see them.

const load = {
  '@prometheus-io/client': () => require('@prometheus-io/client'),
  'prom-client': () => require('prom-client'),
  '@opentelemetry/api': () => require('@opentelemetry/api'),
};

/**
 * @param {keyof typeof load} name
 * @returns {unknown} the package, or undefined where it is not installed; what fails while it loads is thrown
 */
exports.loadPeer = function loadPeer(name) {
  try {
    return load[name]();
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND' && error.message.includes(`'${name}'`)) return undefined;
    throw error;
  }
};
