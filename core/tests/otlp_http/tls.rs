//! TLS: private authorities, client certificates, and what does not fit.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use polyspan::export::Outcome;
use polyspan::export::otlp::{OtlpHttpOptions, OtlpHttpSink};
use polyspan::{DropReason, ErrorCode};
use polyspan_test_receiver::{Certificates, Receiver, Script, TlsMode};
use tempfile::TempDir;

use super::{assert_arrived, assert_requests, batch, options, send};

struct Setup {
    receiver: Receiver,
    directory: TempDir,
    authority: PathBuf,
    client_certificate: PathBuf,
    client_key: PathBuf,
}

fn set_up(tls: TlsMode) -> Setup {
    let receiver = Receiver::start(Script { tls, ..Script::default() });
    let directory = TempDir::new().unwrap();
    let [authority, client_certificate, client_key] =
        receiver.certificates().unwrap().write(directory.path());
    Setup { receiver, directory, authority, client_certificate, client_key }
}

/// Options that give up after the first attempt.
fn once(receiver: &Receiver) -> OtlpHttpOptions {
    let mut options = options(receiver.endpoint());
    options.retry.max_elapsed = Duration::ZERO;
    options
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_named() {
    let set_up = set_up(TlsMode::Server);
    for endpoint in [set_up.receiver.endpoint(), set_up.receiver.endpoint().replace("127.0.0.1", "localhost")]
    {
        let certificate = Some(set_up.authority.clone());
        let mut sink = OtlpHttpSink::new(OtlpHttpOptions { certificate, ..options(endpoint) }).unwrap();
        for _ in 0..2 {
            assert_eq!(send(&mut sink, batch(2)).await, Outcome::exported(2));
        }
    }
    assert_arrived(&set_up.receiver, 2, 4);
    let connections: Vec<_> =
        set_up.receiver.log().requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0, 1, 1]);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_before_anything_is_sent() {
    let set_up = set_up(TlsMode::Server);
    let outcome = send(&mut OtlpHttpSink::new(once(&set_up.receiver)).unwrap(), batch(2)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 2)]);
    let message = outcome.message.unwrap();
    assert!(message.contains("certificate") && message.contains("UnknownIssuer"), "{message}");
    assert_requests(&set_up.receiver, 0);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let set_up = set_up(TlsMode::Server);
    let mut options = once(&set_up.receiver);
    options.certificate = Some(set_up.authority.clone());
    // The same address by a name that the certificate does not have.
    options.endpoint = options.endpoint.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(2)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 2)]);
    assert!(outcome.message.unwrap().contains("not valid for name"));
    assert_requests(&set_up.receiver, 0);
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let set_up = set_up(TlsMode::Mutual);
    let mut options = options(set_up.receiver.endpoint());
    options.certificate = Some(set_up.authority.clone());
    options.client_certificate = Some(set_up.client_certificate.clone());
    options.client_key = Some(set_up.client_key.clone());
    assert_eq!(send(&mut OtlpHttpSink::new(options).unwrap(), batch(2)).await, Outcome::exported(2));
    assert_arrived(&set_up.receiver, 2, 1);
}

#[tokio::test]
async fn a_client_without_the_right_certificate_delivers_nothing() {
    let set_up = set_up(TlsMode::Mutual);
    let strangers = TempDir::new().unwrap();
    let [_, certificate, key] = Certificates::generate().write(strangers.path());
    for (client_certificate, client_key) in [(None, None), (Some(certificate), Some(key))] {
        let certificate = Some(set_up.authority.clone());
        let options =
            OtlpHttpOptions { certificate, client_certificate, client_key, ..once(&set_up.receiver) };
        let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(2)).await;
        assert_eq!(outcome.exported, 0, "{outcome:?}");
        assert!(outcome.message.is_some());
    }
    assert_requests(&set_up.receiver, 0);
}

#[tokio::test]
async fn speaking_the_wrong_scheme_delivers_nothing_and_says_so() {
    let set_up = set_up(TlsMode::Server);
    let mut plain = once(&set_up.receiver);
    plain.endpoint = plain.endpoint.replace("https", "http");
    let outcome = send(&mut OtlpHttpSink::new(plain).unwrap(), batch(2)).await;
    assert_eq!(outcome.exported, 0);
    assert!(outcome.message.is_some());

    let receiver = Receiver::start(Script::default());
    let mut secure = once(&receiver);
    secure.endpoint = secure.endpoint.replace("http", "https");
    let outcome = send(&mut OtlpHttpSink::new(secure).unwrap(), batch(2)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 2)]);
    assert_requests(&receiver, 0);
}

#[tokio::test]
async fn files_that_do_not_fit_are_named() {
    let set_up = set_up(TlsMode::Mutual);
    let empty = set_up.directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let torn = set_up.directory.path().join("torn.pem");
    fs::write(&torn, "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n").unwrap();
    let wrong = set_up.directory.path().join("wrong.pem");
    fs::write(&wrong, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let missing = set_up.directory.path().join("missing.pem");
    let strangers = TempDir::new().unwrap();
    let [_, _, strange_key] = Certificates::generate().write(strangers.path());
    let (certificate, key) = (Some(set_up.client_certificate.clone()), Some(set_up.client_key.clone()));

    let refused = |options: OtlpHttpOptions| {
        let error = OtlpHttpSink::new(OtlpHttpOptions { endpoint: set_up.receiver.endpoint(), ..options })
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidOption);
        error.message().split(':').next().unwrap().to_owned()
    };
    for path in [&missing, &empty, &torn, &wrong, &set_up.client_key] {
        let options = OtlpHttpOptions { certificate: Some(path.clone()), ..Default::default() };
        assert_eq!(refused(options), "certificate", "{path:?}");
    }
    let with = |client_certificate, client_key| OtlpHttpOptions {
        client_certificate,
        client_key,
        ..Default::default()
    };
    assert_eq!(refused(with(certificate.clone(), None)), "client_certificate");
    assert_eq!(refused(with(None, key.clone())), "client_key");
    assert_eq!(refused(with(Some(missing.clone()), key)), "client_certificate");
    for bad_key in [missing, empty, set_up.client_certificate.clone(), strange_key] {
        assert_eq!(refused(with(certificate.clone(), Some(bad_key.clone()))), "client_key", "{bad_key:?}");
    }
}

#[tokio::test]
async fn a_plain_endpoint_does_not_read_certificate_files() {
    let receiver = Receiver::start(Script::default());
    let certificate = Some(PathBuf::from("/nonexistent.pem"));
    let mut sink =
        OtlpHttpSink::new(OtlpHttpOptions { certificate, ..options(receiver.endpoint()) }).unwrap();
    assert_eq!(send(&mut sink, batch(1)).await, Outcome::exported(1));
}
