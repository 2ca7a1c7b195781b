//! Log lines on their way to standard error: written by a thread of their own, so that no caller fails or waits for them.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait for a slow reader of standard error. Further ones are lost.
const MOST_WAITING: usize = 8_192;

/// Takes log lines and never blocks or fails. A line that can't be written is lost and counted.
#[derive(Clone)]
pub(crate) struct LogLines {
    queue: SyncSender<QueuedLine>,
}

enum QueuedLine {
    Line(Vec<u8>),
    /// Answered when everything before it is written or lost.
    Flush(SyncSender<()>),
}

impl LogLines {
    /// Starts the thread that writes to `out`.
    pub(crate) fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, entries) = sync_channel(MOST_WAITING);
        thread::Builder::new().name("logs".to_owned()).spawn(move || write_all(out, &entries))?;
        Ok(Self { queue })
    }

    /// Waits until the lines so far are written or lost, but no longer than `patience`.
    pub(crate) fn flush(&self, patience: Duration) {
        let (done, written) = sync_channel(1);
        // A full queue has a reader that doesn't read: waiting for it would be in vain.
        if self.queue.try_send(QueuedLine::Flush(done)).is_ok() {
            let _ = written.recv_timeout(patience);
        }
    }
}

/// A formatter writes each line with one call.
impl Write for LogLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.queue.try_send(QueuedLine::Line(line.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => lost(),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn lost() {
    metrics::counter!("muster_log_lines_lost_total").increment(1);
}

fn write_all(mut out: impl Write, entries: &Receiver<QueuedLine>) {
    let mut is_inside_line = false;
    while let Ok(entry) = entries.recv() {
        match entry {
            QueuedLine::Line(line) => {
                // What was cut off, for example by a full disk, must not swallow the next line.
                if is_inside_line && out.write_all(b"\n").is_err() {
                    lost();
                    continue;
                }
                let written = write_line(&mut out, &line);
                is_inside_line = (1..line.len()).contains(&written);
                if written < line.len() {
                    lost();
                }
            }
            QueuedLine::Flush(done) => {
                let _ = out.flush();
                let _ = done.try_send(());
            }
        }
    }
}

/// Returns how many bytes were written before an error.
fn write_line(out: &mut impl Write, line: &[u8]) -> usize {
    let mut written = 0;
    while written < line.len() {
        match out.write(&line[written..]) {
            Ok(0) => break,
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A disk with room for this many more bytes.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Disk {
        fn new(room: usize) -> Self {
            Self(Arc::new(Mutex::new((Vec::new(), room))))
        }

        fn set_room(&self, room: usize) {
            self.0.lock().unwrap().1 = room;
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (held, room) = &mut *self.0.lock().unwrap();
            let fits = bytes.len().min(*room);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            held.extend_from_slice(&bytes[..fits]);
            *room -= fits;
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn f01_on_a_full_disk_lines_are_lost_and_later_ones_are_whole() {
        let disk = Disk::new(10);
        let lines = LogLines::start(disk.clone()).unwrap();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .with_writer(lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("first");
            tracing::info!("second");
            tracing::info!("third");
            lines.flush(PATIENCE);
            disk.set_room(100);
            tracing::info!("fourth");
        });
        lines.flush(PATIENCE);
        assert_eq!(disk.text(), "first\nseco\nfourth\n");
    }

    /// A reader that takes nothing until it is let go.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn f01_nobody_waits_for_a_reader_that_does_not_read() {
        let (let_go, stuck) = sync_channel::<()>(0);
        let mut lines = LogLines::start(Stuck(stuck)).unwrap();
        for _ in 0..2 * MOST_WAITING {
            lines.write_all(b"line\n").unwrap();
        }
        lines.flush(PATIENCE);
        drop(let_go);
    }
}
