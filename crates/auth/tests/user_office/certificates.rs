//! An office that shows the wrong certificate is not told anything.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::json;
use vestibule_auth::{backends::UserOfficeFactory, testkit::Host};
use vestibule_core::ports::backend::{BackendFactory, Section, Verdict};

use super::{fault, name};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// An office over TLS that says yes to everything it gets to read; answers its port and how much it
/// has read.
fn office(host: &str, issuer: &Issuer, is_old: bool) -> (u16, Arc<AtomicUsize>) {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    if is_old {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let read = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&read);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(tls, stream.unwrap());
            let mut buffer = [0; 4096];
            if let Ok(length) = stream.read(&mut buffer) {
                seen.fetch_add(length, Ordering::SeqCst);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    (port, read)
}

async fn log_in(port: u16, certificates: Option<String>) -> Verdict {
    let mut keys = json!({ "login_url": format!("https://127.0.0.1:{port}/login") });
    if let Some(pem) = certificates {
        keys["certificates"] = json!(pem);
    }
    let backend = UserOfficeFactory.build(name(), Section::of(keys)).unwrap();
    Host::default().log_in(&*backend, "anna", "secret of anna").await
}

#[tokio::test]
async fn flt_f36_only_the_right_certificate_is_spoken_to() {
    let (ours, theirs) = (authority(), authority());
    let believed = Some(ours.pem());
    let (port, read) = office("127.0.0.1", &ours, false);
    let verdict = log_in(port, believed.clone()).await;
    assert!(matches!(verdict, Verdict::Verified(_)), "{verdict:?}");
    assert!(read.load(Ordering::SeqCst) > 0);
    let wrong = [
        ("another name's", office("127.0.0.2", &ours, false), believed.clone()),
        ("an old one", office("127.0.0.1", &ours, true), believed.clone()),
        ("a stranger's", office("127.0.0.1", &theirs, false), believed),
        ("one that only we believe", office("127.0.0.1", &ours, false), None),
    ];
    for (what, (port, read), certificates) in wrong {
        fault(log_in(port, certificates).await);
        assert_eq!(read.load(Ordering::SeqCst), 0, "{what}: it was told something");
    }
}
