// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.launch.command.StoredOptions;
import org.relaydiffusion.launch.sampling.SamplingRecord;

/** The options of a folder of samples, as written beside them. */
final class SamplingOptionsFile {
  private SamplingOptionsFile() {}

  /** Returns the given file, or the one in the folder of samples if it exists. */
  static Optional<Path> find(PageContent content) {
    return content
        .options()
        .or(() ->
            content
                .samples()
                .map(folder -> folder.resolve(SamplingRecord.FILE))
                .filter(Files::isRegularFile));
  }

  /**
   * Returns the options by name, those of a group with a dot: {@code first.num_steps}.
   *
   * @throws org.relaydiffusion.FileException if the file cannot be read or is not a JSON object
   */
  static Map<String, String> read(Path file) {
    return StoredOptions.read(file);
  }
}
