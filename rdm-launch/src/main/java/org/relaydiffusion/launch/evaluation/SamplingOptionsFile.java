package org.relaydiffusion.launch.evaluation;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.launch.command.StoredOptions;
import org.relaydiffusion.launch.sampling.SamplingRecord;

/** The options behind a folder of samples, as they were written beside them. */
final class SamplingOptionsFile {
  private SamplingOptionsFile() {}

  /** The file that was named, or the one in the folder of samples, if it is there. */
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
   * The options by name, those of a group with a dot: {@code first.num_steps}.
   *
   * @throws org.relaydiffusion.FileException when it cannot be read or is no JSON object
   */
  static Map<String, String> read(Path file) {
    return StoredOptions.read(file);
  }
}
