//! LDAP for a service that speaks HTTP: each bind and each search is asked there as JSON. What is
//! answered with `{"code": …}` is said in LDAP; anything else goes through as it comes.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

/// Starts it; it runs until the tests end. Answers where it listens.
pub(crate) fn start(service: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(&stream, service));
        }
    });
    address
}

fn serve(mut stream: &TcpStream, service: SocketAddr) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let message = element(&mut stream)?.1;
        let mut input = &message[..];
        let (_, id) = element(&mut input)?;
        let (op, content) = element(&mut input)?;
        let mut content = &content[..];
        let (question, answer_tag) = match op {
            0x60 => {
                element(&mut content)?;
                let (dn, password) = (element(&mut content)?.1, element(&mut content)?.1);
                (json!({ "op": "bind", "dn": text(&dn), "password": text(&password) }), 0x61)
            }
            0x63 => {
                let base = element(&mut content)?.1;
                for _ in 0..5 {
                    element(&mut content)?;
                }
                let mut wanted = Vec::new();
                equalities(&mut content, &mut wanted)?;
                (json!({ "op": "search", "base": text(&base), "wanted": wanted }), 0x65)
            }
            _ => return Ok(()),
        };
        let Some(answer) = ask(service, &question, &mut stream)? else { return Ok(()) };
        for entry in answer["entries"].as_array().into_iter().flatten() {
            stream.write_all(&of(0x30, &[of(2, std::slice::from_ref(&id)), entry_of(entry)]))?;
        }
        let code = u8::try_from(answer["code"].as_u64().unwrap()).unwrap();
        let result = of(answer_tag, &[of(0x0A, &[vec![code]]), of(4, &[]), of(4, &[])]);
        stream.write_all(&of(0x30, &[of(2, &[id]), result]))?;
    }
}

/// Asks; none when the answer was not meant to be said in LDAP, and went through.
fn ask(service: SocketAddr, question: &Value, to: &mut &TcpStream) -> io::Result<Option<Value>> {
    let mut http = TcpStream::connect(service)?;
    let body = question.to_string();
    let head = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", body.len());
    http.write_all((head + &body).as_bytes())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if http.read(&mut byte)? == 0 {
            to.write_all(&answer)?;
            return Ok(None);
        }
        answer.push(byte[0]);
    }
    let head = text(&answer);
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let length: u64 = length.and_then(|length| length.parse().ok()).unwrap_or(u64::MAX);
    if head.contains(" 200 ") && head.contains("application/json") {
        let begins = answer.len();
        (&mut http).take(length).read_to_end(&mut answer)?;
        let told: Value = serde_json::from_slice(&answer[begins..]).unwrap_or_default();
        if told["code"].is_u64() {
            return Ok(Some(told));
        }
    }
    to.write_all(&answer)?;
    io::copy(&mut http.take(length), to)?;
    Ok(None)
}

/// The pairs of all `(attribute=value)` of a filter, the values as text or in digits.
fn equalities(input: &mut &[u8], found: &mut Vec<(String, String)>) -> io::Result<()> {
    let (tag, content) = element(input)?;
    let mut content = &content[..];
    match tag {
        0xA0 | 0xA1 => {
            while !content.is_empty() {
                equalities(&mut content, found)?;
            }
        }
        0xA3 => {
            let (name, value) = (element(&mut content)?.1, element(&mut content)?.1);
            let is_text = std::str::from_utf8(&value).is_ok_and(|text| !text.contains('\0'));
            found.push((text(&name), if is_text { text(&value) } else { digits(&value) }));
        }
        _ => {}
    }
    Ok(())
}

/// `{"dn": …, "uid": …, "objectGUID": [bytes]}`
fn entry_of(entry: &Value) -> Vec<u8> {
    let values = |value: &Value| match value {
        Value::String(text) => text.as_bytes().to_vec(),
        bytes => serde_json::from_value(bytes.clone()).unwrap(),
    };
    let attributes: Vec<_> = entry
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "dn")
        .map(|(name, value)| {
            of(0x30, &[of(4, &[name.clone().into_bytes()]), of(0x31, &[of(4, &[values(value)])])])
        })
        .collect();
    of(0x64, &[of(4, &[values(&entry["dn"])]), of(0x30, &attributes)])
}

/// Bytes as they are written in a subject.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn of(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, &content].concat()
}

fn element(input: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    input.read_exact(&mut head)?;
    let length = if head[1] < 0x80 {
        u64::from(head[1])
    } else {
        let mut digits = vec![0; usize::from(head[1] & 0x7F)];
        input.read_exact(&mut digits)?;
        digits.iter().fold(0, |sum, digit| (sum << 8) | u64::from(*digit))
    };
    let mut content = Vec::new();
    input.take(length).read_to_end(&mut content)?;
    Ok((head[0], content))
}
