// What UniFFI writes is put beside this file when the package is built.
