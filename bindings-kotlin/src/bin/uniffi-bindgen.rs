//! Writes the Kotlin and Swift sources for this crate's library; `cargo xtask` calls it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
