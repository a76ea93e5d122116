// forge's ASN.1 by itself: the package's own door loads every cipher, TLS and PKCS#12 with it (4 MB in each process).

declare module 'node-forge/lib/asn1.js' {
  import forge from 'node-forge';

  const asn1: typeof forge.asn1;
  export = asn1;
}

declare module 'node-forge/lib/util.js' {
  import forge from 'node-forge';

  const util: typeof forge.util;
  export = util;
}
