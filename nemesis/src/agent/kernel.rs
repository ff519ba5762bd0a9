//! Which kernel this is. Nodes in namespaces share theirs with the controller, and with it the
//! one wall clock there is; a real host has its own.

use std::io;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// This kernel's life: a number of its own since it was booted.
pub fn boot_id() -> io::Result<String> {
    let text = std::fs::read_to_string(BOOT_ID)
        .map_err(|error| io::Error::new(error.kind(), format!("{BOOT_ID}: {error}")))?;
    Ok(text.trim().to_owned())
}

/// An error unless this kernel is certainly another one than the controller's.
pub fn must_be_another(controller: &str) -> io::Result<()> {
    match refusal(&boot_id()?, controller) {
        Some(why) => Err(io::Error::new(io::ErrorKind::Unsupported, why)),
        None => Ok(()),
    }
}

/// Why this kernel's clock is not to be set, by its boot id and the controller's.
fn refusal(own: &str, controller: &str) -> Option<&'static str> {
    let known = |id: &str| id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if !known(own) || !known(controller) {
        return Some(
            "it is not known whether this node has a kernel of its own, so its clock stays",
        );
    }
    let same = own.eq_ignore_ascii_case(controller);
    same.then_some(
        "this node shares the controller's kernel, whose clock is never set; \
         only the clock of the database's processes can be moved here",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "30c4d16a-0f0e-4bd3-8a4b-6d0e2ac90e51";
    const OTHER: &str = "b7e0c3c2-3c67-4d43-9f0d-cc5e0b7b1a2f";

    #[test]
    fn only_a_kernel_that_is_certainly_another_is_let_through() {
        assert_eq!(refusal(ONE, OTHER), None);
        assert!(refusal(ONE, ONE).unwrap().contains("shares the controller's kernel"));
        assert!(refusal(ONE, &ONE.to_uppercase()).unwrap().contains("shares"));
        for (own, controller) in [("", ""), (ONE, ""), ("", OTHER), (ONE, "unknown"), ("x", OTHER)]
        {
            assert!(refusal(own, controller).unwrap().contains("not known"), "{own} {controller}");
        }
    }

    #[test]
    fn this_kernel_is_not_another_than_itself() {
        let own = boot_id().unwrap();
        assert!(must_be_another(&own).is_err());
    }
}
