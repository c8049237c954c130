// Package safefile writes files that are either wholly there or not there at all, inside a
// directory that no path leaves.
//
// Words:
//
//   - A Dir is a directory tree. Every name is relative to it, with slashes, clean, without "..". Names are resolved by
//     os.Root, so a symbolic link that leads out of the tree is refused, also one that is put there during the operation.
//   - A Pending file has its content but not its name yet: it is written under a temporary name in the directory where it
//     is to be, and Commit gives it its name once its bytes are on the disk.
//   - A leftover is the temporary file of a process that died. Sweep removes leftovers.
//   - An Op is one operation of the file system. Tests make each of them fail in turn, see Dir.WithFaults.
//
// The order in which a Pending file becomes a file is: write, fsync, close, rename, fsync of the
// directory. Renaming before the fsync could leave an empty file under the final name after a power
// failure, and without the last fsync the rename itself may be forgotten after the caller was told
// that it happened.
package safefile
