# Unpacks a wheel with modes that every account can use: zipfile forgets which files are programs, and a strict
# umask would keep the unprivileged account of the server out.
import os
import sys
import zipfile

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(target)
for folder, _, files in os.walk(target):
    os.chmod(folder, 0o755)
    for name in files:
        os.chmod(os.path.join(folder, name), 0o755)
