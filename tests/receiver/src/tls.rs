//! Certificates of a private authority, made anew for each receiver.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// The PEM texts a client needs to talk to a receiver, and those of the receiver itself.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The authority.
    pub authority: String,
    /// The client's certificate.
    pub client_certificate: String,
    /// The client's key.
    pub client_key: String,
    server_certificate: String,
    server_key: String,
}

impl Certificates {
    /// Makes an authority and certificates of it for `localhost`, 127.0.0.1 and one client.
    pub fn generate() -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(params, authority_key);
        let issue = |names: &[&str], purpose| {
            let key = KeyPair::generate().unwrap();
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names).unwrap();
            params.extended_key_usages = vec![purpose];
            (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
        };
        let (server_certificate, server_key) =
            issue(&["localhost", "127.0.0.1"], ExtendedKeyUsagePurpose::ServerAuth);
        let (client_certificate, client_key) = issue(&["client"], ExtendedKeyUsagePurpose::ClientAuth);
        Self { authority, client_certificate, client_key, server_certificate, server_key }
    }

    /// Writes what a client needs into `directory`: authority, client certificate and client key.
    pub fn write(&self, directory: &Path) -> [PathBuf; 3] {
        let files = [
            ("authority.pem", &self.authority),
            ("client.pem", &self.client_certificate),
            ("client.key", &self.client_key),
        ];
        files.map(|(name, text)| {
            let path = directory.join(name);
            fs::write(&path, text).unwrap();
            path
        })
    }

    pub(crate) fn server_config(&self, client_must_show_one: bool) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if client_must_show_one {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(self.authority.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let certificate = CertificateDer::from_pem_slice(self.server_certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.server_key.as_bytes()).unwrap();
        builder.with_single_cert(vec![certificate], key).unwrap()
    }
}
