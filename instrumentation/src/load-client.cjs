// What is installed of the client libraries. CommonJS, because `require` alone looks for a package without waiting; both names
// stand in a call of it, so that bundlers see them.

/**
 * @param {'@prometheus-io/client' | 'prom-client'} name
 * @returns {unknown} the library, or undefined where it is not installed; what fails while it loads is thrown
 */
exports.loadClient = function loadClient(name) {
  try {
    return name === 'prom-client' ? require('prom-client') : require('@prometheus-io/client');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND' && error.message.includes(`'${name}'`)) return undefined;
    throw error;
  }
};
