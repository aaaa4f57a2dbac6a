//! The TLS configuration of an exporter: whom it trusts and who it says it is.
//!
//! Made only for `https` endpoints. Without a `certificate` option the bundled Mozilla roots are trusted,
//! so that slim containers without a certificate store work and nothing of the machine is read; a private
//! authority, or the machine's own bundle, is trusted by naming its file.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::Error;

/// Reads the files and makes the configuration.
///
/// # Errors
/// `invalid_option` naming `certificate`, `client_certificate` or `client_key` when a file cannot be
/// read, holds nothing fitting, or one of the last two is given without the other.
pub(super) fn configure(
    certificate: Option<&Path>,
    client_certificate: Option<&Path>,
    client_key: Option<&Path>,
) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    match certificate {
        Some(path) => trust(&mut roots, path)?,
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    // The provider is named, because the process may have installed another one for its own use.
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::invalid_option("endpoint", "https", &error.to_string()))?
        .with_root_certificates(roots);
    match (client_certificate, client_key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(certificate), Some(key)) => {
            let chain = read_certificates("client_certificate", certificate)?;
            let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                unusable("client_key", key, "a PEM file with one unencrypted private key", &error)
            })?;
            builder.with_client_auth_cert(chain, key_der).map_err(|error| {
                let expected = format!("the private key of client_certificate ({error})");
                Error::invalid_option("client_key", &key.to_string_lossy(), &expected)
            })
        }
        (Some(certificate), None) => {
            let found = certificate.to_string_lossy();
            Err(Error::invalid_option("client_certificate", &found, "client_key to be given with it"))
        }
        (None, Some(key)) => {
            let found = key.to_string_lossy();
            Err(Error::invalid_option("client_key", &found, "client_certificate to be given with it"))
        }
    }
}

fn trust(roots: &mut RootCertStore, path: &Path) -> Result<(), Error> {
    for certificate in read_certificates("certificate", path)? {
        roots.add(certificate).map_err(|error| {
            let expected = format!("certificates of an authority ({error})");
            Error::invalid_option("certificate", &path.to_string_lossy(), &expected)
        })?;
    }
    Ok(())
}

fn read_certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    const EXPECTED: &str = "a PEM file with certificates";
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(option, path, EXPECTED, &error))?;
    if certificates.is_empty() {
        return Err(unusable(option, path, EXPECTED, &PemError::NoItemsFound));
    }
    Ok(certificates)
}

fn unusable(option: &str, path: &Path, expected: &str, error: &PemError) -> Error {
    Error::invalid_option(option, &path.to_string_lossy(), &format!("{expected} ({error})"))
}
