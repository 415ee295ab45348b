//! Paths of the Windows file system, as text: both slashes, any case, relative to a location.

/// Home folder of the account that runs shells.
pub const HOME: &str = "C:\\Users\\Administrator";

/// The path without the name of its provider: `Microsoft.PowerShell.Core\FileSystem::C:\x` gives `C:\x`.
pub fn without_provider(path: &str) -> &str {
    match path.split_once("::") {
        Some((provider, rest)) if provider.to_ascii_lowercase().ends_with("filesystem") => rest,
        _ => path,
    }
}

/// The drive of a path when it is not one of the file system: `HKLM` of `HKLM:\SOFTWARE`, `env` of `env:Path`.
pub fn other_drive(path: &str) -> Option<&str> {
    let (drive, _) = without_provider(path).split_once(':')?;
    (drive.len() > 1 && drive.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(drive)
}

/// The full path: relative to a location, with `.` and `..` resolved, back slashes, and no slash at its end except
/// behind a drive.
pub fn full(location: &str, path: &str) -> String {
    let path = without_provider(path.trim()).replace('/', "\\");
    let drive_of = |text: &str| -> String { text.get(..2).filter(|d| d.ends_with(':')).unwrap_or("C:").to_owned() };
    let absolute = if path == "~" || path.starts_with("~\\") {
        format!("{HOME}{}", &path[1..])
    } else if path.starts_with("\\\\") || path.get(1..3) == Some(":\\") {
        path
    } else if path.get(1..2) == Some(":") {
        format!("{}\\{}", &path[..2], &path[2..])
    } else if path.starts_with('\\') {
        format!("{}{path}", drive_of(location))
    } else {
        format!("{location}\\{path}")
    };
    // A share's host and name are its root: nothing goes above them.
    let (root, rest) = match absolute.strip_prefix("\\\\") {
        Some(rest) => {
            let mut parts = rest.splitn(3, '\\');
            let (host, share) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            (format!("\\\\{host}\\{share}"), parts.next().unwrap_or_default().to_owned())
        }
        None => (format!("{}\\", &absolute[..2.min(absolute.len())]), absolute.get(3..).unwrap_or_default().to_owned()),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('\\') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return root;
    }
    let root = root.trim_end_matches('\\');
    format!("{root}\\{}", parts.join("\\"))
}

/// The folder that holds a path, and the name in it; `None` for the root of a drive or share.
pub fn split(full: &str) -> Option<(&str, &str)> {
    let plain = full.trim_end_matches('\\');
    let at = plain.rfind('\\')?;
    let (folder, name) = (&plain[..at], &plain[at + 1..]);
    if folder.is_empty() || name.is_empty() || folder == "\\" {
        return None;
    }
    // `C:` is written `C:\`.
    let folder = if folder.ends_with(':') { &plain[..=at] } else { folder };
    (!(full.starts_with("\\\\") && folder[2..].find('\\').is_none())).then_some((folder, name))
}

/// A name inside of a folder.
pub fn join(folder: &str, name: &str) -> String {
    let folder = folder.trim_end_matches('\\');
    format!("{folder}\\{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_as_windows_does() {
        for (location, path, expected) in [
            ("C:\\", "a.txt", "C:\\a.txt"),
            ("C:\\Logs", "a.txt", "C:\\Logs\\a.txt"),
            ("C:\\Logs", ".\\b\\..\\a.txt", "C:\\Logs\\a.txt"),
            ("C:\\Logs", "..\\..\\..\\x", "C:\\x"),
            ("C:\\Logs", "\\x", "C:\\x"),
            ("D:\\Logs", "/x/y/", "D:\\x\\y"),
            ("C:\\", "D:", "D:\\"),
            ("C:\\", "D:x", "D:\\x"),
            ("C:\\", "~\\x", "C:\\Users\\Administrator\\x"),
            ("C:\\", "\\\\fs\\share\\a\\..\\b", "\\\\fs\\share\\b"),
            ("C:\\", "\\\\fs\\share\\..\\..\\b", "\\\\fs\\share\\b"),
            ("C:\\", "Microsoft.PowerShell.Core\\FileSystem::C:\\x", "C:\\x"),
            ("C:\\", "FileSystem::\\\\fs\\share\\x", "\\\\fs\\share\\x"),
            ("C:\\Logs", "", "C:\\Logs"),
        ] {
            assert_eq!(full(location, path), expected, "{location} and {path}");
        }
    }

    #[test]
    fn roots_have_no_parent() {
        assert_eq!(split("C:\\"), None);
        assert_eq!(split("C:\\a"), Some(("C:\\", "a")));
        assert_eq!(split("C:\\a\\b"), Some(("C:\\a", "b")));
        assert_eq!(split("\\\\fs\\share"), None);
        assert_eq!(split("\\\\fs\\share\\a"), Some(("\\\\fs\\share", "a")));
    }
}
