// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.PickleReader.Globals;

/** A bare pickle, whose storages are legacy streams inside byte strings. */
final class BarePickle {
  private BarePickle() {}

  static Object read(CheckpointFile file, PickleInput in, Globals globals) {
    Object value =
        PickleReader.read(
            file.path(),
            "the pickle",
            in,
            file.budget(),
            globals,
            PickleReader.PersistentIds.none());
    if (in.remaining() > 0) {
      throw file.bad("has %s bytes after the end of its pickle".formatted(in.remaining()));
    }
    return value;
  }
}
