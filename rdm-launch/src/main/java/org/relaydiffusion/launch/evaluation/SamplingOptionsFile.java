package org.relaydiffusion.launch.evaluation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.launch.sampling.SamplingRun;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The options behind a folder of samples, as they were written beside them. */
final class SamplingOptionsFile {
  private static final long MOST_BYTES = 1 << 20;

  private SamplingOptionsFile() {}

  /** The file that was named, or the one in the folder of samples, if it is there. */
  static Optional<Path> find(PageContent content) {
    return content
        .options()
        .or(() ->
            content
                .samples()
                .map(folder -> folder.resolve(SamplingRun.OPTIONS_FILE))
                .filter(Files::isRegularFile));
  }

  /**
   * The options by name, those of a group with a dot: {@code first.num_steps}.
   *
   * @throws FileException when it cannot be read or is no JSON object
   */
  static Map<String, String> read(Path file) {
    Map<String, String> options = new LinkedHashMap<>();
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new FileException(
            file, "has %s bytes, more than options take".formatted(Files.size(file)));
      }
      JsonNode root = JsonMapper.shared().readTree(InputFile.text(file));
      if (!root.isObject()) {
        throw new FileException(file, "is no JSON object of options");
      }
      add("", root, options);
      return options;
    } catch (JacksonException e) {
      throw new FileException(
          file, "is no JSON: %s".formatted(e.getOriginalMessage().replaceAll("\\s+", " ")), e);
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  private static void add(String name, JsonNode value, Map<String, String> options) {
    if (value.isObject()) {
      value
          .properties()
          .forEach(entry ->
              add(
                  name.isEmpty() ? entry.getKey() : name + "." + entry.getKey(),
                  entry.getValue(),
                  options));
    } else if (!value.isNull()) {
      options.put(name, value.isString() ? value.stringValue() : value.toString());
    }
  }
}
