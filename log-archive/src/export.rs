//! An export: every chained record of a log in a file, as lines of JSON in zstd, ended by a signed checkpoint.
//!
//! The file is a row of zstd frames, and each is a whole part of the export. So it can be gone on with: what a killed export has begun
//! is cut off, and what is whole is kept. `zstd -dc FILE` prints it. Records that an operator has skipped are left out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom, Write};
use std::path::Path;

use log_model::record::Recorded;
use log_model::{LogId, StreamPartition};

use crate::checkpoint::{LogCheckpoint, NotACheckpoint};
use crate::line::Line;
pub use crate::line::LineError;
use crate::note::{self, NoteError, PublicKey, Signer};
use crate::verification::Verification;

/// Bytes of lines in a frame, roughly. A killed export loses as much at most.
const FRAME: usize = 8 << 20;
/// Most bytes of lines in a frame that is read: one record comes on top, and none has a MiB.
const LARGEST_FRAME: u64 = 64 << 20;
/// A level that takes less time than reading the log does.
const LEVEL: i32 = 3;

/// An export can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file itself.
    #[error("the file can't be used: {0}")]
    File(#[from] io::Error),
    /// A line of it.
    #[error("line {number}: {source}")]
    Line {
        /// Which line, from 1.
        number: u64,
        /// What is wrong.
        source: LineError,
    },
    /// A part of it can't be unpacked.
    #[error("a part of it is damaged: {0}")]
    Damaged(#[source] io::Error),
    /// Another process is writing it.
    #[error("another process is exporting to it")]
    Busy,
    /// It ends in the middle of a frame.
    #[error("it ends in the middle of a part; the export was not finished, or the file was cut")]
    Cut,
    /// It does not begin as an export does.
    #[error("it is no export of a log")]
    NoExport,
    /// It holds another log.
    #[error("it is an export of the log {found}, and this is the log {wanted}")]
    OtherLog {
        /// Which it holds.
        found: LogId,
        /// Which was to be exported.
        wanted: LogId,
    },
    /// What it holds does not verify, so it is not gone on with.
    #[error("what it holds does not verify: {0}")]
    Broken(String),
    /// A checkpoint in it that nothing vouches for.
    #[error("line {number}: the checkpoint can't be trusted: {source}")]
    Note {
        /// Which line, from 1.
        number: u64,
        /// What is wrong.
        source: NoteError,
    },
    /// A checkpoint in it that can't be read.
    #[error("line {number}: {source}")]
    Checkpoint {
        /// Which line, from 1.
        number: u64,
        /// What is wrong.
        source: NotACheckpoint,
    },
}

/// What a file was found to hold.
#[derive(Debug, Default)]
pub struct ExportContent {
    /// Its records, verified.
    pub verification: Verification,
    /// The checkpoints in it: how many, and the last one if nothing comes after it.
    pub checkpoints: u64,
    /// The text of the checkpoint at its end, if one stands there.
    pub last: Option<LogCheckpoint>,
    /// Which log it holds; `None` for an empty file.
    log: Option<LogId>,
    lines: u64,
}

impl ExportContent {
    /// Reads a file to its end and verifies the chains and checkpoints in it. One of `keys` has to have signed each of them,
    /// unless there are none. `expected` are checkpoints from elsewhere.
    ///
    /// # Errors
    ///
    /// The file can't be read, is no export, or holds a checkpoint that none of the keys has signed. Chains that don't fit are no
    /// error: the content says so.
    pub fn read(path: &Path, keys: &[PublicKey], expected: &[LogCheckpoint]) -> Result<Self, ExportError> {
        let mut content = Self::default();
        for checkpoint in expected {
            content.verification.expect(checkpoint);
        }
        let mut file = BufReader::new(File::open(path)?);
        while content.read_frame(&mut file, keys)? {}
        if content.log.is_none() {
            return Err(ExportError::NoExport);
        }
        content.verification.end();
        Ok(content)
    }

    /// Which log the file holds.
    pub fn log(&self) -> Option<LogId> {
        self.log
    }

    /// Reads one frame. Returns whether there was one.
    fn read_frame(&mut self, file: &mut BufReader<File>, keys: &[PublicKey]) -> Result<bool, ExportError> {
        if file.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut text = Vec::new();
        let decoder = zstd::stream::read::Decoder::with_buffer(&mut *file);
        let mut decoder = decoder.map_err(ExportError::Damaged)?.single_frame();
        match decoder.by_ref().take(LARGEST_FRAME).read_to_end(&mut text) {
            Ok(length) if length as u64 == LARGEST_FRAME => return Err(ExportError::NoExport),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(ExportError::Cut),
            Err(_) if self.log.is_none() => return Err(ExportError::NoExport),
            Err(error) => return Err(ExportError::Damaged(error)),
        }
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.lines += 1;
            let number = self.lines;
            let line = std::str::from_utf8(line).map_err(|error| LineError::Form(error.to_string()));
            let line = line.and_then(|line| Line::read(line.trim_end_matches('\n')));
            self.take(line.map_err(|source| ExportError::Line { number, source })?, keys)?;
        }
        Ok(true)
    }

    fn take(&mut self, line: Line, keys: &[PublicKey]) -> Result<(), ExportError> {
        let number = self.lines;
        match (line, self.log) {
            (Line::Log(log), None) => self.log = Some(log),
            (_, None) | (Line::Log(_), Some(_)) => return Err(ExportError::NoExport),
            (Line::Record(recorded), Some(_)) => {
                self.last = None;
                self.verification.meet(&recorded, false);
            }
            (Line::Checkpoint(note), Some(log)) => {
                let text =
                    if keys.is_empty() { note::text_of(&note) } else { note::open_with_any(keys, &note) };
                let text = text.map_err(|source| ExportError::Note { number, source })?;
                let checkpoint: LogCheckpoint =
                    text.parse().map_err(|source| ExportError::Checkpoint { number, source })?;
                if checkpoint.log != log {
                    return Err(ExportError::OtherLog { found: checkpoint.log, wanted: log });
                }
                self.verification.expect(&checkpoint);
                self.checkpoints += 1;
                self.last = Some(checkpoint);
            }
        }
        Ok(())
    }
}

/// An export that is being written.
pub struct Exporter {
    file: File,
    lines: Vec<u8>,
    /// What the file holds, with the lines that are not in it yet.
    content: ExportContent,
}

impl Exporter {
    /// Begins a file, or goes on with one that is there: what was not finished in it is cut off. The file is for its owner
    /// alone, and nobody else can write it meanwhile. `places` are the chained stream partitions of the log.
    ///
    /// # Errors
    ///
    /// The file can't be used, or is no export of this log, or was changed.
    pub fn open(
        path: &Path,
        log: LogId,
        places: impl IntoIterator<Item = StreamPartition>,
    ) -> Result<Self, ExportError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ExportError::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut content = ExportContent::default();
        let mut reader = BufReader::new(file.try_clone()?);
        let whole = loop {
            let begin = reader.stream_position()?;
            match content.read_frame(&mut reader, &[]) {
                Ok(true) => {}
                Ok(false) | Err(ExportError::Cut) => break begin,
                Err(error) => return Err(error),
            }
        };
        if let Some(found) = content.log.filter(|found| *found != log) {
            return Err(ExportError::OtherLog { found, wanted: log });
        }
        let broken = content.verification.places.iter().find_map(|(_, found)| found.broken.clone());
        if let Some(reason) = broken {
            return Err(ExportError::Broken(reason));
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        for place in places {
            content.verification.places.entry(place).or_default();
        }
        let mut exporter = Self { file, lines: Vec::new(), content };
        if exporter.content.log.is_none() {
            exporter.content.log = Some(log);
            Line::Log(log).write(&mut exporter.lines);
        }
        Ok(exporter)
    }

    /// What the file holds so far.
    pub fn verification(&self) -> &Verification {
        &self.content.verification
    }

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// The file can't be written, or the record does not continue the chain.
    pub fn add(&mut self, recorded: Recorded) -> Result<(), ExportError> {
        let verification = &mut self.content.verification;
        verification.meet(&recorded, false);
        if let Some(reason) = verification.places.get(&recorded.place).and_then(|found| found.broken.clone())
        {
            return Err(ExportError::Broken(reason));
        }
        self.content.last = None;
        Line::Record(recorded).write(&mut self.lines);
        if self.lines.len() >= FRAME { self.write_frame() } else { Ok(()) }
    }

    /// Ends the file with a signed checkpoint, unless it ends with one already, and sees to it that it is on the disk.
    ///
    /// # Errors
    ///
    /// The file can't be written, or it holds no record yet.
    pub fn finish(mut self, signer: &Signer) -> Result<LogCheckpoint, ExportError> {
        if let Some(last) = self.content.last {
            return Ok(last);
        }
        let checkpoint = self.content.verification.checkpoint().ok_or(ExportError::NoExport)?;
        Line::Checkpoint(signer.sign(&checkpoint.to_string())).write(&mut self.lines);
        self.write_frame()?;
        self.file.sync_all()?;
        Ok(checkpoint)
    }

    fn write_frame(&mut self) -> Result<(), ExportError> {
        let frame = zstd::stream::encode_all(&*self.lines, LEVEL)?;
        self.file.write_all(&frame)?;
        self.lines.clear();
        Ok(())
    }
}
