import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { SetupProblem } from '../packages/torch/scripts/setup-problem.mjs';

/**
 * Creates a Debian chroot in a folder with debootstrap, with the Node, npm and network settings of this machine. An existing
 * chroot is reused.
 * @param {'bookworm' | 'trixie'} release
 * @param {string} folder
 * @param {string[]} packages the packages to install in it
 */
export function makeDebianFolder(release, folder, packages) {
  if (process.getuid?.() !== 0) throw new SetupProblem('Only root can create a Debian chroot.');
  if (existsSync(join(folder, 'debootstrap'))) rmSync(folder, { recursive: true }); // debootstrap was interrupted
  if (!existsSync(folder)) {
    console.error(`Creating a Debian ${release} chroot in ${folder}`);
    if (spawnSync('debootstrap', ['--version']).error) {
      throw new SetupProblem('debootstrap is missing: apt-get install debootstrap');
    }
    execFileSync('debootstrap', ['--variant=minbase', release, folder, debianMirror()], { stdio: 'inherit' });
  } else if (!releaseIn(folder).includes(`VERSION_CODENAME=${release}`)) {
    throw new SetupProblem(`${folder} already exists and is not a Debian ${release}.`, 2);
  }
  copyNetwork(folder);
  copyNode(folder);
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const command = `dpkg --status ${packages.join(' ')} >/dev/null 2>&1 || { apt-get update && ${install}; }`;
  if (runInside(folder, '/', command).status !== 0) throw new SetupProblem(`apt-get failed in ${folder}.`);
  copyNetwork(folder); // ca-certificates has just written its own list
}

/**
 * Runs a shell command in a Debian chroot. /proc and /dev are mounted in a private namespace, so they disappear when the
 * command ends for any reason.
 * @param {string} folder
 * @param {string} workingFolder the path inside the chroot
 * @param {string} command
 * @param {'inherit' | 'pipe'} [stdout]
 */
export function runInside(folder, workingFolder, command, stdout = 'inherit') {
  const enter = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" env -i "$@"';
  const shell = ['sh', '-c', `cd ${workingFolder} && ${command}`];
  return spawnSync('unshare', ['--mount', 'sh', '-c', enter, folder, ...environment(), ...shell], {
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
  });
}

/** The environment of a fresh login, plus this machine's network and OpenBLAS settings. */
function environment() {
  const kept = /^((https?|all|no)_proxy|NODE_EXTRA_CA_CERTS|OPENBLAS_.*)$/i;
  return [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'LANG=C.UTF-8',
    'DEBIAN_FRONTEND=noninteractive',
    ...Object.entries(process.env).flatMap(([name, value]) => (kept.test(name) ? [`${name}=${value}`] : [])),
  ];
}

/** The mirror that apt uses on this machine if it runs Debian, or else the default mirror. */
function debianMirror() {
  const lists = '/etc/apt/sources.list.d';
  const files = existsSync(lists) ? readdirSync(lists).map((file) => join(lists, file)) : [];
  const texts = ['/etc/apt/sources.list', ...files]
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
  const mirror = /^(?:deb|URIs:)\s.*?(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(texts.join('\n'));
  return mirror?.[1] ?? 'http://deb.debian.org/debian';
}

/** @param {string} folder */
function releaseIn(folder) {
  const file = join(folder, 'etc/os-release');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/**
 * Copies name servers, certificates, and the settings of apt and npm from this machine.
 * @param {string} folder
 */
function copyNetwork(folder) {
  const globalNpm = execFileSync('npm', ['config', 'get', 'globalconfig'], { encoding: 'utf8' }).trim();
  const files = [
    ['/etc/resolv.conf', '/etc/resolv.conf'],
    ['/etc/hosts', '/etc/hosts'],
    ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/certs/ca-certificates.crt'],
    [process.env.NODE_EXTRA_CA_CERTS ?? '', process.env.NODE_EXTRA_CA_CERTS ?? ''],
    [join(homedir(), '.npmrc'), '/root/.npmrc'],
    [globalNpm, '/usr/local/etc/npmrc'],
  ];
  for (const [from = '', to = ''] of files) {
    if (existsSync(from)) cpSync(from, join(folder, to), { dereference: true });
  }
  const apt = spawnSync('apt-config', ['dump'], { encoding: 'utf8' }).stdout ?? '';
  const settings = apt.split('\n').filter((line) => /^Acquire::(?!IndexTargets|Languages|cdrom)/.test(line));
  writeFileSync(join(folder, 'etc/apt/apt.conf.d/90host'), `${settings.join('\n')}\n`);
}

/** @param {string} folder */
function copyNode(folder) {
  const local = join(folder, 'usr/local');
  const npm = join(execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim(), 'npm');
  cpSync(process.execPath, join(local, 'bin/node'));
  const headers = join(dirname(dirname(process.execPath)), 'include/node');
  if (existsSync(headers)) cpSync(headers, join(local, 'include/node'), { recursive: true });
  cpSync(npm, join(local, 'lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(local, 'bin'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    rmSync(join(local, 'bin', name), { force: true });
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  }
}
