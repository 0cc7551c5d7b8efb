"""What a service is: the fields of one row of `stack.services.table`. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stack.services.grants import Grant

EXAMPLE_CODE = "src/churn"
"""The code of the example; an image without it belongs to a service for any model."""


@dataclass(frozen=True)
class ContainerImage:
    """What is particular to a service's image; everything else is the same for all (`deploy/Dockerfile`).

    Attributes:
        name: the image, its lock file in `requirements/`, and its extra in `pyproject.toml`.
        code: the folders that it holds beside `src/driftline`.
        arguments: what its entry point is given when a container names nothing else.
        environment: variables that it sets.
        stage: the stage of `deploy/Dockerfile` that it starts from.
        working_directory: where its process starts.
        volumes: folders that a new volume mounted there takes its owner and mode from, as ECS does on Fargate.
    """

    name: str
    code: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    stage: str = "application"
    working_directory: str = "/app"
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceWorker:
    """A process of a service that listens on no port and runs only on request, with the service's environment.

    Attributes:
        name: the name of its log and of its mark; the container of its name in the compose file is the same.
        title: its name for people.
        command: the arguments of Python that start it.
        job: the job whose lock of the database it holds while it works.
        option: the variable of `make up` that asks for it.
    """

    name: str
    title: str
    command: tuple[str, ...]
    job: str
    option: str


@dataclass(frozen=True)
class WorkerContainer:
    """A container beside the service's own, of its image and its database user, that runs only on request.

    Attributes:
        command: the arguments of Python that start it.
        environment: variables beside the addresses and the database user.
        mounts: files and folders to mount, in compose's short form.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compose:
    """The service's compose file, `FOLDER/compose.yaml`: what differs from the others.

    Attributes:
        comment: the sentences that open the file.
        scripts: the containers by name, each with the script that it runs, one after another; without any there is
            one container, of the service's name, that runs the image's entry point.
        workers: the containers by name that run beside it where their name is among the profiles.
        environment: variables beside the addresses, the database user and the tokens; a value may end in a comment.
        mounts: files and folders to mount, in compose's short form.
        keeps_state: whether it reads or writes the volume of local state.
        executable_tmp: whether programs may be run from /tmp.
        cpus, memory, pids: the container's limits.
    """

    comment: str
    scripts: Mapping[str, str] = field(default_factory=dict)
    workers: Mapping[str, WorkerContainer] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    keeps_state: bool = True
    executable_tmp: bool = False
    cpus: str = "1.0"
    memory: str = "1G"
    pids: int = 256


@dataclass(frozen=True)
class Service:
    """One service or job.

    Attributes:
        name: its role: the database user is `driftline_NAME`.
        title: its name for people.
        description: what it does, in one sentence.
        folder: the folder of its code.
        command: the arguments of Python that start it; empty where each job is a script of its own.
        port: where its HTTP server listens by default (`NAME_PORT` changes it); None if it has none.
        settings: the variables whose names begin so are passed on to it.
        variables: the variables that are set for it, unless those that are passed on have other values.
        uses_kafka: whether it receives Kafka's settings.
        reads_ports_of: the services whose ports it receives.
        grants: the rights of its database user.
        migrates: whether its rights are granted before there are tables.
        image: what is particular to its image.
        workers: its processes that run only on request.
        compose: its compose file; None if only the compose file of the root runs it.
    """

    name: str
    title: str
    description: str
    folder: str
    image: ContainerImage
    command: tuple[str, ...] = ()
    port: int | None = None
    settings: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    uses_kafka: bool = False
    reads_ports_of: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    migrates: bool = False
    workers: tuple[ServiceWorker, ...] = ()
    compose: Compose | None = None

    @property
    def account(self) -> str:
        """The name of its database user."""
        return f"driftline_{self.name}"

    @property
    def uses_example(self) -> bool:
        """Whether it reads or writes the tables of the churn example."""
        return EXAMPLE_CODE in self.image.code

    @property
    def container_address(self) -> str:
        """The address of its HTTP server for other containers."""
        return f"http://{self.name}:{self.port}"

    @property
    def port_variable(self) -> str:
        """The setting of the port where it listens."""
        return f"{self.name.upper()}_PORT"
