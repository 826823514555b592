// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What passed between the CPU and simulated devices while something was computed.
 *
 * @param events in their order
 */
public record HostTraffic(List<HostEvent> events) {
  /** How many copies there were. */
  public long transfers() {
    return count(e -> e.kind().isTransfer());
  }

  /** How often the CPU waited. */
  public long waits() {
    return count(e -> e.kind().isWait());
  }

  /** How many copies to a device there were. */
  public long uploads() {
    return count(e -> e.kind() == HostEvent.Kind.UPLOAD || e.kind() == HostEvent.Kind.UPLOAD_BEGUN);
  }

  /** How often something was read back, or waited for. */
  public long readBacks() {
    return count(e -> e.kind() != HostEvent.Kind.UPLOAD && e.kind() != HostEvent.Kind.UPLOAD_BEGUN);
  }

  private long count(Predicate<HostEvent> wanted) {
    return events.stream().filter(wanted).count();
  }

  /** The events with the places they come from. */
  @Override
  public String toString() {
    return events.size()
        + " events"
        + events.stream().map(e -> "\n  " + e).collect(Collectors.joining());
  }
}
