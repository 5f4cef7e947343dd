# grant-chown.pl FILE: gives a program the file capability CAP_CHOWN, as `setcap cap_chown+ep FILE` does. Run at image
# build time; setcap itself is not in the base image, Perl is in every Debian, and so no package has to be fetched.
#
# The value is struct vfs_cap_data of <linux/capability.h>, five little-endian words:
#
#   | revision 2 + effective | permitted 0-31 | inheritable 0-31 | permitted 32-63 | inheritable 32-63 |
use strict;
use warnings;
use POSIX ();

my $VFS_CAP_REVISION_2 = 0x02000000;
my $EFFECTIVE = 0x00000001;
my $CAP_CHOWN = 1 << 0;
# The number of the system call setxattr(2), by machine.
my %SETXATTR = (x86_64 => 188, aarch64 => 5, riscv64 => 5);

my $file = shift // die "usage: grant-chown.pl FILE\n";
my $machine = (POSIX::uname())[4];
my $setxattr = $SETXATTR{$machine} // die "grant-chown.pl: no number of setxattr known for $machine\n";
my $name = 'security.capability';
my $value = pack 'V5', $VFS_CAP_REVISION_2 | $EFFECTIVE, $CAP_CHOWN, 0, 0, 0;
syscall($setxattr, $file, $name, $value, length $value, 0) == 0 or die "grant-chown.pl: $file: $!\n";
