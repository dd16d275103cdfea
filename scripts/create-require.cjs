// In the place of node:module in bundles, which have a `require` of their own: loading that module costs 3 ms.
exports.createRequire = () => require;
