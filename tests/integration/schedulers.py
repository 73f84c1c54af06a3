# SPDX-License-Identifier: Apache-2.0
"""A real Icinga 2, a real Nagios and a real NRPE with the definitions that are shipped, each in a
directory of its own. The first two write what they know into a status.dat of the same form."""

import getpass
import grp
import os
import re
import shutil
import signal
import socket
import subprocess

from monitoring import Answer
from servers import Process, free_port, wait_for

ETC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "etc")
SHIPPED_BINARY = "/usr/bin/omnivigil"


def shipped(*path):
    with open(os.path.join(ETC, *path), encoding="utf-8") as file:
        return file.read()


def group():
    return grp.getgrgid(os.getgid()).gr_name


def parse_status(text):
    """{service: {key: value}} of a status.dat; the host's own check is called "HOST"."""
    found = {}
    for kind, body in re.findall(r"^(hoststatus|servicestatus) \{\n(.*?)^\s*\}", text, re.M | re.S):
        values = dict(line.strip().partition("=")[::2] for line in body.splitlines())
        found[values.get("service_description", "HOST") if kind == "servicestatus" else "HOST"] = {
            "checked": values["has_been_checked"] == "1",
            "state": int(values["current_state"]),
            "output": values.get("plugin_output", ""),
            "details": values.get("long_plugin_output", ""),
            "perfdata": values.get("performance_data", ""),
        }
    return found


class Scheduler(Process):
    def __init__(self, directory, name):
        super().__init__(directory, name)
        self.directory = os.path.join(directory, name)
        os.mkdir(self.directory)
        self.status_path = os.path.join(self.directory, "status.dat")

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def make(self, *names):
        """Directories; their paths."""
        paths = [os.path.join(self.directory, name) for name in names]
        for path in paths:
            os.makedirs(path, exist_ok=True)
        return paths

    def status(self):
        self.check_alive()
        try:
            with open(self.status_path, encoding="utf-8", errors="surrogateescape") as file:
                return parse_status(file.read())
        except FileNotFoundError:
            return {}


# Nagios does not start without any contact.
NAGIOS_CONTACT = """
define command {
    command_name none
    command_line /bin/true
}
define timeperiod {
    timeperiod_name never
    alias never
}
define contact {
    contact_name nobody
    host_notification_commands none
    service_notification_commands none
    host_notification_period never
    service_notification_period never
}
"""


class Nagios(Scheduler):
    def __init__(self, directory, binary, env, hosts):
        super().__init__(directory, "nagios")
        results, temporary = self.make("results", "tmp")
        definitions = shipped("nagios", "omnivigil.cfg")
        config = self.write("nagios.cfg", "\n".join([
            f"cfg_file={self.write('shipped.cfg', definitions.replace(SHIPPED_BINARY, binary))}",
            f"cfg_file={self.write('hosts.cfg', NAGIOS_CONTACT + hosts)}",
            f"log_file={self.directory}/nagios.log", f"status_file={self.status_path}",
            f"object_cache_file={self.directory}/objects.cache",
            f"precached_object_file={self.directory}/objects.precache",
            f"temp_file={self.directory}/nagios.tmp", f"temp_path={temporary}",
            f"check_result_path={results}", f"lock_file={self.directory}/nagios.lock",
            f"command_file={self.directory}/nagios.cmd", f"query_socket={self.directory}/nagios.qh",
            f"state_retention_file={self.directory}/retention.dat", "use_syslog=0",
            f"nagios_user={getpass.getuser()}", f"nagios_group={group()}", "interval_length=1",
            "check_for_updates=0", "enable_notifications=0", "status_update_interval=1",
            "check_external_commands=0", "service_inter_check_delay_method=n",
            "host_inter_check_delay_method=n",
            # a host checked each second is else never checked again: the last result still serves
            "cached_host_check_horizon=0", ""]))
        self.start([os.environ.get("OV_NAGIOS", "nagios4"), config], env=env, cwd=self.directory)


class Icinga(Scheduler):
    """With `api`, it listens there, with certificates of an authority of its own."""

    def __init__(self, directory, binary, env, objects, api=False):
        super().__init__(directory, "icinga")
        program = os.environ.get("OV_ICINGA2", "icinga2")
        root = program.rpartition("/usr/")[0]
        lib, log, cache, spool, run, conf = self.make("lib", "log", "cache", "spool", "run", "conf")
        self.env, self.port = env, None
        if root:  # unpacked, not installed
            self.env = {**env, "LD_LIBRARY_PATH": program.rpartition("/icinga2/sbin/")[0]}
        constants = {
            "RunAsUser": getpass.getuser(), "RunAsGroup": group(), "DataDir": lib, "LogDir": log,
            "CacheDir": cache, "SpoolDir": spool, "InitRunDir": run, "ConfigDir": conf,
            "PkgDataDir": f"{root}/usr/share/icinga2", "Concurrency": "2",
            "IncludeConfDir": f"{root}/usr/share/icinga2/include", "NodeName": "localhost",
            "PidPath": f"{run}/icinga2.pid", "ObjectsPath": f"{cache}/icinga2.debug",
            "StatePath": f"{lib}/icinga2.state", "VarsPath": f"{cache}/icinga2.vars",
        }
        self.program = program
        self.constants = [f"-D{name}={value}" for name, value in constants.items()]
        if api:
            objects += self.listen(lib)
        definitions = re.sub(r"_interval = \w+", "_interval = 1s",
                             shipped("icinga2", "omnivigil.conf"))
        self.config = self.write("icinga2.conf", "\n".join([
            'include <itl>', f'const OmnivigilBin = "{binary}"',
            'object CheckerComponent "checker" {}',
            'object StatusDataWriter "status" {', f'  status_path = "{self.status_path}"',
            f'  objects_path = "{self.directory}/objects.cache"', '  update_interval = 1s', '}',
            f'include "{self.write("omnivigil.conf", definitions)}"',
            objects, ""]))
        self.run()

    def run(self):
        self.start([self.program, "daemon", "-c", self.config, "-x", "notice", *self.constants],
                   env=self.env, cwd=self.directory)
        if self.port:
            wait_for("Icinga's API", lambda: self.check_alive() and self.listens(), 30)

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Never SIGKILL: the processes that do the work would stay."""
        return super().stop(number, seconds)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def pki(self, *args):
        done = subprocess.run([self.program, "pki", *args, *self.constants], env=self.env,
                              cwd=self.directory, capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def certificate(self, name):
        """(certificate, key) for a name, from its authority."""
        base = os.path.join(self.certificates, name)
        self.pki("new-cert", "--cn", name, "--key", f"{base}.key", "--csr", f"{base}.csr")
        self.pki("sign-csr", "--csr", f"{base}.csr", "--cert", f"{base}.crt")
        return f"{base}.crt", f"{base}.key"

    def listen(self, lib):
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.certificates, = self.make("lib/certs")
        self.pki("new-ca")
        self.authority = shutil.copy(os.path.join(lib, "ca", "ca.crt"), self.certificates)
        self.certificate("localhost")
        return f'''
            object Endpoint NodeName {{}}
            object Zone "here" {{ endpoints = [ NodeName ] }}
            object ApiListener "api" {{ bind_host = "127.0.0.1", bind_port = {self.port} }}
            '''


# NRPE refuses to be root, who may yet be the only one that can read what is to be tested.
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
          "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


class Nrpe:
    """Its server as inetd starts it, asked by its client."""

    def __init__(self, directory, definitions, env):
        self.env = env
        config = os.path.join(directory, "nrpe.cfg")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"allowed_hosts=127.0.0.1\ndont_blame_nrpe=0\n{definitions}")
        self.argv = [*(NOBODY if os.getuid() == 0 else []), os.environ.get("OV_NRPE", "nrpe"),
                     "-n", "-i", "-c", config]

    def ask(self, command):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(10)
            client = subprocess.Popen(
                [os.environ.get("OV_CHECK_NRPE", "check_nrpe"), "-n", "-H", "127.0.0.1", "-p",
                 str(listener.getsockname()[1]), "-t", "30", "-c", command],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            try:
                connection, _ = listener.accept()
                with connection:
                    subprocess.run(self.argv, env=self.env, stdin=connection, stdout=connection,
                                   timeout=30, check=True)
                output, _ = client.communicate(timeout=10)
            finally:
                client.kill()
                client.wait()
        return Answer(client.returncode, output)
