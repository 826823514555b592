// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.List;

/**
 * A kind of preconditioner: its name, its settings, and how it is made. {@link
 * OfficialPreconditioner} has the reference's. Others are found by {@link java.util.ServiceLoader},
 * or given to a {@link NetworkCatalog}; docs/architecture.md shows how one is added.
 */
public interface PreconditionerKind {
  /** The name by which files and options ask for it, e.g. {@code EDMPrecond}. */
  String className();

  /** The architecture where no {@code model_type} is given. */
  String defaultArchitecture();

  /** Its own keyword arguments. */
  List<Setting> settings();

  /**
   * Checks what no single setting can show.
   *
   * @throws ModelException naming the setting that does not fit
   */
  default void check(Settings settings) {}

  /** The channels of the raw network's output, for images of so many channels. */
  default int outChannels(int channels) {
    return channels;
  }

  /** A preconditioner without values. */
  Preconditioner make(ModelConfig config);
}
