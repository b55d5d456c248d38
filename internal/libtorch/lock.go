package libtorch

import "time"

// lockRetry is how often a waiting process asks for a lock again.
const lockRetry = 50 * time.Millisecond
