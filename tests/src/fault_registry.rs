//! A registry that misbehaves in one chosen way: what docker-registry never does by itself.
//!
//! It serves an image layout, so what it gives by default is an honest image with its signatures,
//! and a test says which answers are to be others. It speaks as much HTTP as a pull needs.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::Value;

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the layout holds; 404 where it holds nothing.
    Honest,
    /// What the layout holds under another tag or digest.
    InsteadOf(String),
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes without end.
    Endless,
    /// The first half, and a `Content-Length` that is true of it.
    Truncated,
    /// The first half, then a closed connection, though all was announced.
    BrokenOff,
    /// This status, with an empty body.
    Status(u16),
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `/v2/NAME/manifests/TAG`, `/v2/NAME/blobs/DIGEST` …
    pub path: &'a str,
    /// How often the same path was asked for before.
    pub before: usize,
}

/// A running registry, until it is dropped.
#[derive(Debug)]
pub struct FaultRegistry {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    layout: PathBuf,
    asked: Mutex<HashMap<String, usize>>,
    sent: AtomicU64,
    ended: AtomicBool,
}

type Rule = dyn Fn(Request<'_>) -> Answer + Send + Sync;

impl FaultRegistry {
    /// Serves `layout` under whatever repository is asked for, with answers chosen by `rule`.
    pub fn start(
        layout: &Path,
        rule: impl Fn(Request<'_>) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            layout: layout.to_path_buf(),
            asked: Mutex::default(),
            sent: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let rule: Arc<Rule> = Arc::new(rule);
        let (accepter, shared_with) = (Arc::clone(&rule), Arc::clone(&shared));
        let accepting = thread::spawn(move || accept(&listener, &shared_with, &accepter));
        Ok(Self { shared, accepting: Some(accepting) })
    }

    /// A repository's or image's name in it: `host:port/NAME`.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.shared.address)
    }

    /// How often a path that ends in `end` was asked for.
    pub fn times_asked(&self, end: &str) -> usize {
        let asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, times)| times).sum()
    }

    /// How many bytes of bodies it could send so far, those in socket buffers included.
    pub fn bytes_sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for FaultRegistry {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, if it still does.
        let _ = TcpStream::connect(self.shared.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, rule: &Arc<Rule>) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let (shared, rule) = (Arc::clone(shared), Arc::clone(rule));
        // A client that hangs up early is what many tests are about.
        thread::spawn(move || shared.serve(stream, &*rule));
    }
}

impl Shared {
    /// One request a connection.
    fn serve(&self, mut stream: TcpStream, rule: &Rule) -> io::Result<()> {
        let Some(path) = request_path(&stream)? else { return Ok(()) };
        let before = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let times = asked.entry(path.clone()).or_default();
            *times += 1;
            *times - 1
        };
        let half = |content: &[u8]| content[..content.len() / 2].to_vec();
        match rule(Request { path: &path, before }) {
            Answer::Honest => self.send_content(&mut stream, self.content(&path)),
            Answer::InsteadOf(name) => self.send_content(&mut stream, self.named(&name)),
            Answer::Bytes(bytes) => self.send_content(&mut stream, Some(bytes)),
            Answer::Truncated => {
                self.send_content(&mut stream, self.content(&path).map(|all| half(&all)))
            }
            Answer::BrokenOff => {
                let content = self.content(&path).unwrap_or_default();
                head(&mut stream, 200, Some(content.len()))?;
                self.send(&mut stream, &half(&content))
            }
            Answer::Endless => {
                head(&mut stream, 200, None)?;
                let chunk = vec![b' '; 64 * 1024];
                loop {
                    self.send(&mut stream, &chunk)?;
                }
            }
            Answer::Status(status) => head(&mut stream, status, Some(0)),
        }
    }

    fn send_content(&self, stream: &mut TcpStream, content: Option<Vec<u8>>) -> io::Result<()> {
        let Some(content) = content else { return head(stream, 404, Some(0)) };
        head(stream, 200, Some(content.len()))?;
        self.send(stream, &content)
    }

    fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes)?;
        self.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    /// What belongs to a path. There is no referrers API, as in many a real registry: signatures
    /// are found under their tags.
    fn content(&self, path: &str) -> Option<Vec<u8>> {
        let (rest, name) = path.rsplit_once('/')?;
        match rest.rsplit_once('/')?.1 {
            "manifests" | "blobs" => self.named(name),
            _ => None,
        }
    }

    fn named(&self, name: &str) -> Option<Vec<u8>> {
        let digest = if name.starts_with("sha256:") { name.to_owned() } else { self.tag(name)? };
        let hex = digest.strip_prefix("sha256:")?;
        std::fs::read(self.layout.join("blobs/sha256").join(hex)).ok()
    }

    fn tag(&self, tag: &str) -> Option<String> {
        let index = std::fs::read(self.layout.join("index.json")).ok()?;
        let index: Value = serde_json::from_slice(&index).ok()?;
        let name = "org.opencontainers.image.ref.name";
        let mut entries = index["manifests"].as_array()?.iter();
        let entry = entries.find(|entry| entry["annotations"][name] == tag)?;
        Some(entry["digest"].as_str()?.to_owned())
    }
}

/// The path of the request line; none when the client (or the end of this registry) sent nothing.
fn request_path(stream: &TcpStream) -> io::Result<Option<String>> {
    let mut lines = BufReader::new(stream.take(64 * 1024)).lines();
    let path = match lines.next() {
        Some(line) => line?.split(' ').nth(1).map(str::to_owned),
        None => None,
    };
    // To the end of the headers: closing with unread input would reset the connection.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(path)
}

fn head(stream: &mut TcpStream, status: u16, length: Option<usize>) -> io::Result<()> {
    let length = length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    // No Content-Type: the media type inside a document is the one that was signed.
    write!(stream, "HTTP/1.1 {status} x\r\nConnection: close\r\n{length}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:01",
        "annotations":{"org.opencontainers.image.ref.name":"v1"}}]}"#;

    fn layout() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        std::fs::write(folder.path().join("index.json"), INDEX).unwrap();
        std::fs::write(folder.path().join("blobs/sha256/01"), "content").unwrap();
        folder
    }

    /// The answer without its headers but the first line, at most `max` bytes.
    fn get(registry: &FaultRegistry, path: &str, max: u64) -> String {
        let mut stream = TcpStream::connect(registry.shared.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.take(max).read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        format!("{} {body}", head.split(' ').nth(1).unwrap())
    }

    #[test]
    fn serves_a_layout() {
        let layout = layout();
        let registry = FaultRegistry::start(layout.path(), |_| Answer::Honest).unwrap();
        assert_eq!(get(&registry, "/v2/a/b/manifests/v1", 999), "200 content");
        assert_eq!(get(&registry, "/v2/a/b/blobs/sha256:01", 999), "200 content");
        assert_eq!(get(&registry, "/v2/a/b/manifests/v2", 999), "404 ");
        assert_eq!(get(&registry, "/v2/a/b/referrers/sha256:01", 999), "404 ");
        assert_eq!((registry.times_asked("/v1"), registry.bytes_sent()), (1, 14));
    }

    #[test]
    fn misbehaves_when_told_to() {
        let layout = layout();
        let registry = FaultRegistry::start(layout.path(), |request| match request.before {
            0 => Answer::Truncated,
            1 => Answer::BrokenOff,
            2 => Answer::Status(401),
            3 => Answer::InsteadOf("sha256:01".to_owned()),
            4 => Answer::Bytes(b"other".to_vec()),
            _ => Answer::Endless,
        })
        .unwrap();
        let answers = ["200 con", "200 con", "401 ", "200 content", "200 other"];
        for answer in answers {
            assert_eq!(get(&registry, "/v2/a/manifests/v1", 999), answer);
        }
        assert!(get(&registry, "/v2/a/manifests/v1", 1 << 20).len() > 1 << 19);
    }
}
