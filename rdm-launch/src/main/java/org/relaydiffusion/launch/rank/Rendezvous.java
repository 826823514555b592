// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.io.PathVariable;
import org.relaydiffusion.torch.distributed.FileStore;
import org.relaydiffusion.torch.distributed.Store;
import org.relaydiffusion.torch.distributed.TcpStore;
import org.relaydiffusion.torch.distributed.WaitListener;

/** The c10d store through which the ranks of a run find one another. */
public sealed interface Rendezvous {
  /**
   * Set by {@code rdm launch} for ranks on one node: the file of {@link PrivateFile}. It takes
   * precedence over {@code MASTER_ADDR} and {@code MASTER_PORT}.
   */
  String FILE_VARIABLE = "RDM_RENDEZVOUS_FILE";

  /** The variable by which a launcher tells its ranks that it serves the store itself. */
  String AGENT_STORE_VARIABLE = "TORCHELASTIC_USE_AGENT_STORE";

  /**
   * A file in a folder that only this user can access, for ranks that are all on this node. There
   * is no listening store, and the ranks' groups listen on the loopback address.
   *
   * @param file created by the first rank
   */
  record PrivateFile(Path file) implements Rendezvous {}

  /**
   * A store served by rank 0.
   *
   * @param at its address
   */
  record RankZero(Endpoint at) implements Rendezvous {}

  /**
   * A store served by the launcher, {@code rdm launch} of node 0 or torchrun's agent. It outlives
   * the ranks, so each attempt has its own keys.
   *
   * @param at its address
   * @param attempt how many times the launcher has started the ranks before, from 0
   */
  record Agent(Endpoint at, int attempt) implements Rendezvous {}

  /** Returns the rendezvous of a single process, which has no peers. */
  static Rendezvous local() {
    return new RankZero(Endpoint.LOCAL);
  }

  /**
   * Returns the rendezvous of this process's run, as set in the environment by its launcher:
   * {@value #FILE_VARIABLE}, or {@code MASTER_ADDR} and {@code MASTER_PORT}, which torchrun and
   * {@code rdm launch} set and which can be set manually. Without them,
   *
   * <ul>
   *   <li>ranks that are all on one node use that node;
   *   <li>under Slurm, the address is the first host of the step's node list, which is that of rank
   *       0;
   *   <li>under Slurm and Open MPI, the port is derived from the job id, so that two jobs on one
   *       host do not collide; otherwise it is {@link Endpoint#DEFAULT_PORT}.
   * </ul>
   *
   * <p>Rank 0 serves the store, unless {@value #AGENT_STORE_VARIABLE} is {@code True}.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @param rank of this process in the same environment
   * @throws OptionException naming the variable that is missing or invalid
   */
  static Rendezvous of(Map<String, String> environment, Rank rank) {
    Optional<Path> file = PathVariable.of(environment, FILE_VARIABLE);
    if (file.isPresent()) {
      return new PrivateFile(file.get());
    }
    Endpoint at = new MasterSearch(environment, rank).find();
    boolean byAgent =
        Variables.text(environment, AGENT_STORE_VARIABLE).filter("True"::equals).isPresent();
    return byAgent
        ? new Agent(at, Variables.number(environment, "TORCHELASTIC_RESTART_COUNT", 0))
        : new RankZero(at);
  }

  /**
   * Opens the store.
   *
   * @param rank of this process
   * @param timeout for the other processes, and later for values
   * @param listener notified while this process waits
   * @return the store, which the caller closes
   * @throws org.relaydiffusion.torch.TorchException if it cannot be reached before the timeout
   * @throws org.relaydiffusion.CancelledException if the thread is interrupted while waiting
   */
  default Store open(Rank rank, Duration timeout, WaitListener listener) {
    return switch (this) {
      case PrivateFile(Path file) ->
          FileStore.ofThisMachine(file, rank.worldSize(), timeout, listener);
      case RankZero(Endpoint at) ->
          new TcpStore(
              at.address(),
              at.port(),
              rank.worldSize(),
              rank.isFirst() ? TcpStore.Role.SERVER : TcpStore.Role.CLIENT,
              timeout,
              listener);
      case Agent(Endpoint at, int attempt) -> {
        try (Store shared = TcpStore.connect(at.address(), at.port(), timeout, listener)) {
          yield shared.withPrefix("rdm/ranks/attempt_%s".formatted(attempt));
        }
      }
    };
  }
}
