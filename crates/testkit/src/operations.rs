//! Operations of the vendor in these tests.

use olr_core::entitlement::Operation;

pub const BACKUP: Operation = Operation::new("backup").unwrap();
pub const CONNECT: Operation = Operation::new("connect").unwrap();
pub const CREATE_BACKUP_SET: Operation = Operation::new("create-backup-set").unwrap();
pub const CREATE_USER: Operation = Operation::new("create-user").unwrap();
pub const IMPORT_USERS: Operation = Operation::new("import-users").unwrap();
pub const RESTORE: Operation = Operation::new("restore").unwrap();
pub const UPDATE_USER: Operation = Operation::new("update-user").unwrap();

/// All operations that a license of this vendor knows.
pub const ALL: [Operation; 10] = [
    Operation::RUN,
    Operation::UPDATE_LICENSE,
    Operation::UPGRADE,
    BACKUP,
    CONNECT,
    CREATE_BACKUP_SET,
    CREATE_USER,
    IMPORT_USERS,
    RESTORE,
    UPDATE_USER,
];
