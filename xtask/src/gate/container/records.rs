//! The records of a zip archive, each read where it is said to lie and never beyond the file.
//! Pure; field orders are those of PKWARE's APPNOTE.TXT 6.3.10.

/// Where the central directory lies and what its end record says.
#[derive(Debug)]
pub struct Directory {
    /// Offset of the first central record.
    pub start: usize,
    /// Offset behind the last central record.
    pub end: usize,
    /// Offset of the first record that belongs to the end (ZIP64 or not).
    pub record: usize,
    /// Offset behind the archive comment.
    pub behind: usize,
    /// Length of the archive comment.
    pub comment: usize,
    /// How many entries the end record states.
    pub count: u64,
    /// What must be added to every offset because bytes were put before the archive.
    pub base: usize,
    /// Whether there is a ZIP64 end record.
    pub zip64: bool,
}

/// A record of the central directory (4.3.12).
#[derive(Debug)]
pub struct Central<'bytes> {
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub packed: u64,
    pub size: u64,
    pub attributes: u32,
    pub offset: u64,
    pub name: &'bytes [u8],
    pub extra: &'bytes [u8],
    pub comment: &'bytes [u8],
    /// Offset behind this record.
    pub end: usize,
}

/// A local file header (4.3.7).
#[derive(Debug)]
pub struct Local<'bytes> {
    /// Offset of the header.
    pub start: usize,
    /// Offset of the data behind it.
    pub data: usize,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub packed: u64,
    pub size: u64,
    pub name: &'bytes [u8],
    pub extra: &'bytes [u8],
}

/// A window that cannot be read past its end.
struct Window<'bytes> {
    bytes: &'bytes [u8],
    at: usize,
}

impl<'bytes> Window<'bytes> {
    fn at(bytes: &'bytes [u8], at: usize, signature: &[u8; 4]) -> Option<Window<'bytes>> {
        let mut window = Window { bytes, at };
        (window.take(4)? == signature).then_some(window)
    }

    fn take(&mut self, length: usize) -> Option<&'bytes [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

const END: &[u8; 4] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const ZIP64_LOCATOR_LENGTH: usize = 20;

/// Finds the end record from behind (4.3.16) and, through it, the central directory.
///
/// # Errors
/// What is missing, in words.
pub fn directory(bytes: &[u8]) -> Result<Directory, String> {
    let earliest = bytes
        .len()
        .saturating_sub(END_LENGTH + usize::from(u16::MAX));
    let places = memchr::memmem::rfind_iter(&bytes[earliest..], END);
    let mut reason = "not a zip archive: no end of central directory record".to_owned();
    for place in places {
        match end_record(bytes, earliest + place) {
            Some(Ok(directory)) => return Ok(directory),
            Some(Err(detail)) => reason = detail,
            None => {}
        }
    }
    Err(reason)
}

fn end_record(bytes: &[u8], at: usize) -> Option<Result<Directory, String>> {
    let mut window = Window::at(bytes, at, END)?;
    let (disk, first_disk) = (window.u16()?, window.u16()?);
    let (_here, count) = (window.u16()?, window.u16()?);
    let (size, offset) = (window.u32()?, window.u32()?);
    let comment = usize::from(window.u16()?);
    window.take(comment)?;
    let mut directory = Directory {
        start: 0,
        end: 0,
        record: at,
        behind: window.at,
        comment,
        count: count.into(),
        base: 0,
        zip64: false,
    };
    if disk != first_disk {
        return Some(Err(
            "a part of an archive that spans several files".to_owned()
        ));
    }
    let mut extent = (u64::from(size), u64::from(offset));
    if let Some((record, count, size, offset)) = zip64_end(bytes, at) {
        directory.record = record;
        directory.zip64 = true;
        directory.count = count;
        extent = (size, offset);
    }
    Some(place(bytes, directory, extent))
}

/// Offsets may be counted from the start of the file or from the start of the archive in it.
fn place(
    bytes: &[u8],
    mut found: Directory,
    (size, offset): (u64, u64),
) -> Result<Directory, String> {
    let outside = || "the central directory lies outside of the file".to_owned();
    let size = usize::try_from(size).map_err(|_| outside())?;
    let offset = usize::try_from(offset).map_err(|_| outside())?;
    let is_directory = |start: usize| {
        let there = bytes.get(start..);
        size == 0 || there.is_some_and(|there| there.starts_with(b"PK\x01\x02"))
    };
    let stated = offset.checked_add(size).filter(|end| *end <= found.record);
    match stated {
        Some(end) if is_directory(offset) => {
            (found.start, found.end) = (offset, end);
            Ok(found)
        }
        _ => {
            let start = found.record.checked_sub(size).ok_or_else(outside)?;
            let base = start.checked_sub(offset).ok_or_else(outside)?;
            if !is_directory(start) {
                return Err("there is no central directory where the end record says".to_owned());
            }
            (found.start, found.end, found.base) = (start, found.record, base);
            Ok(found)
        }
    }
}

/// The ZIP64 end record (4.3.14), found through its locator (4.3.15): its own offset, the
/// number of entries, and size and offset of the central directory.
fn zip64_end(bytes: &[u8], end: usize) -> Option<(usize, u64, u64, u64)> {
    let locator = end.checked_sub(ZIP64_LOCATOR_LENGTH)?;
    let mut window = Window::at(bytes, locator, b"PK\x06\x07")?;
    let _disk = window.u32()?;
    let at = usize::try_from(window.u64()?).ok()?;
    let mut window = Window::at(bytes, at, b"PK\x06\x06")?;
    window.take(8 + 2 + 2 + 4 + 4 + 8)?;
    let (count, size, offset) = (window.u64()?, window.u64()?, window.u64()?);
    Some((at, count, size, offset))
}

/// The central record at an offset, if there is one.
pub fn central(bytes: &[u8], at: usize) -> Option<Central<'_>> {
    let mut window = Window::at(bytes, at, b"PK\x01\x02")?;
    let _versions = window.u32()?;
    let (flags, method) = (window.u16()?, window.u16()?);
    let _time = window.u32()?;
    let crc = window.u32()?;
    let (packed, size) = (window.u32()?, window.u32()?);
    let lengths = [window.u16()?, window.u16()?, window.u16()?].map(usize::from);
    let _disk_and_internal = window.u32()?;
    let attributes = window.u32()?;
    let offset = window.u32()?;
    let name = window.take(lengths[0])?;
    let extra = window.take(lengths[1])?;
    let comment = window.take(lengths[2])?;
    let mut wide = Wide::new(extra);
    let size = wide.value(size)?;
    let packed = wide.value(packed)?;
    let offset = wide.value(offset)?;
    Some(Central {
        flags,
        method,
        crc,
        packed,
        size,
        attributes,
        offset,
        name,
        extra,
        comment,
        end: window.at,
    })
}

/// The local header at an offset, if there is one.
pub fn local(bytes: &[u8], at: usize) -> Option<Local<'_>> {
    let mut window = Window::at(bytes, at, b"PK\x03\x04")?;
    let _version = window.u16()?;
    let (flags, method) = (window.u16()?, window.u16()?);
    let _time = window.u32()?;
    let crc = window.u32()?;
    let (packed, size) = (window.u32()?, window.u32()?);
    let lengths = [window.u16()?, window.u16()?].map(usize::from);
    let name = window.take(lengths[0])?;
    let extra = window.take(lengths[1])?;
    let mut wide = Wide::new(extra);
    let size = wide.value(size)?;
    let packed = wide.value(packed)?;
    Some(Local {
        start: at,
        data: window.at,
        flags,
        method,
        crc,
        packed,
        size,
        name,
        extra,
    })
}

/// The offset behind the data descriptor at `at` (4.3.9) that states what the central
/// directory states. Its signature is optional and its sizes have 4 or 8 bytes.
pub fn descriptor(bytes: &[u8], at: usize, central: &Central<'_>) -> Option<usize> {
    let forms = [(true, false), (true, true), (false, false), (false, true)];
    forms.into_iter().find_map(|(signed, wide)| {
        let mut window = if signed {
            Window::at(bytes, at, b"PK\x07\x08")?
        } else {
            Window { bytes, at }
        };
        let crc = window.u32()?;
        let (packed, size) = if wide {
            (window.u64()?, window.u64()?)
        } else {
            (window.u32()?.into(), window.u32()?.into())
        };
        let agrees = (crc, packed, size) == (central.crc, central.packed, central.size);
        agrees.then_some(window.at)
    })
}

/// The fields of an extra block: header id and data (4.5.1). Stops where it is malformed.
pub fn fields(extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut window = Window {
        bytes: extra,
        at: 0,
    };
    std::iter::from_fn(move || {
        let id = window.u16()?;
        let length = window.u16()?.into();
        Some((id, window.take(length)?))
    })
}

/// The 64-bit values of the ZIP64 extra field (4.5.3), which are there only for those values
/// that do not fit, in the order of the record.
struct Wide<'bytes> {
    values: Window<'bytes>,
}

impl<'bytes> Wide<'bytes> {
    fn new(extra: &'bytes [u8]) -> Wide<'bytes> {
        let field = fields(extra).find(|(id, _)| *id == 1);
        let bytes = field.map_or(&[][..], |(_, data)| data);
        Wide {
            values: Window { bytes, at: 0 },
        }
    }

    fn value(&mut self, narrow: u32) -> Option<u64> {
        if narrow == u32::MAX {
            // Without the field, 4 GiB - 1 means itself; the limits refuse it anyway.
            Some(self.values.u64().unwrap_or(narrow.into()))
        } else {
            Some(narrow.into())
        }
    }
}
