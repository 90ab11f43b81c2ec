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
 * A Debian of its own in a folder (debootstrap), with this machine's Node, npm and way to the network. One that is
 * there already is used again.
 * @param {'bookworm' | 'trixie'} release
 * @param {string} folder
 * @param {string[]} packages to be installed in it
 */
export function makeDebianFolder(release, folder, packages) {
  if (process.getuid?.() !== 0) throw new SetupProblem('A Debian in a folder can only be made by root.');
  if (existsSync(join(folder, 'debootstrap'))) rmSync(folder, { recursive: true }); // it was interrupted
  if (!existsSync(folder)) {
    console.error(`Making a Debian ${release} in ${folder}`);
    if (spawnSync('debootstrap', ['--version']).error) {
      throw new SetupProblem('debootstrap is missing: apt-get install debootstrap');
    }
    execFileSync('debootstrap', ['--variant=minbase', release, folder, debianMirror()], { stdio: 'inherit' });
  } else if (!releaseIn(folder).includes(`VERSION_CODENAME=${release}`)) {
    throw new SetupProblem(`${folder} is there already and is no Debian ${release}.`, 2);
  }
  copyNetwork(folder);
  copyNode(folder);
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const command = `dpkg --status ${packages.join(' ')} >/dev/null 2>&1 || { apt-get update && ${install}; }`;
  if (runInside(folder, '/', command).status !== 0) throw new SetupProblem(`apt-get failed in ${folder}.`);
  copyNetwork(folder); // ca-certificates has just written its own list
}

/**
 * Runs a shell command in a Debian folder. /proc and /dev are mounted for it alone and are gone when it ends, however
 * it ends.
 * @param {string} folder
 * @param {string} workingFolder inside
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

/** What a fresh login would have, and this machine's ways to the network and settings of its processor. */
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

/** The mirror that this machine's apt uses, where it is a Debian too. */
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
 * Name servers, certificates, and the settings of apt and npm, as they are here.
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
