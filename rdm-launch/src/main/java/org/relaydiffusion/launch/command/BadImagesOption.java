// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.BadPicture;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.PictureCheck;
import picocli.CommandLine.Option;

/** The option that selects how images that cannot be used are handled. */
public final class BadImagesOption implements Section {
  @Option(
      names = "--bad-images",
      paramLabel = "fail|skip|list",
      completionCandidates = Candidates.BadImagesNames.class,
      description =
          "How to handle images that cannot be read or differ from the others in size or colour:"
              + " find"
              + " all of them and fail, skip them, or only list them and do nothing else."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "fail")
  public BadImages mode = BadImages.FAIL;

  @Override
  public String heading() {
    return "Images that cannot be used";
  }

  /**
   * Checks the images of a folder or zip before anything else is done with them, and lists the bad
   * ones: as the result if only a list was requested, otherwise on standard error.
   *
   * @param options the options that select the images to check
   * @param command name of the command, for the result
   * @return the result of the check if bad images are to be skipped; empty if nothing else is to be
   *     done
   * @throws org.relaydiffusion.RdmException if there are bad images and the mode is to fail
   */
  public Optional<PictureCheck> look(
      Path data, DatasetOptions options, String command, Console console, ReportOptions report) {
    BadPictureList list = new BadPictureList(mode, console, report);
    PictureCheck check = PictureCheck.of(data, options, list, new Cancellation());
    if (mode == BadImages.LIST) {
      list.result(command, data.toString(), check.looked());
      return Optional.empty();
    }
    if (mode == BadImages.FAIL && !check.bad().isEmpty()) {
      throw BadPicture.failure(check.bad(), check.bad().size(), check.looked());
    }
    return Optional.of(check);
  }

  /** Reports bad images as they are found. */
  public static final class BadPictureList implements BadPicture.Listener {
    private final BadImages mode;
    private final Console console;
    private final ReportOptions report;
    private final List<String> found = new ArrayList<>();
    private int count;

    /** Creates a list that reports according to {@code mode}. */
    public BadPictureList(BadImages mode, Console console, ReportOptions report) {
      this.mode = mode;
      this.console = console;
      this.report = report;
    }

    @Override
    public void found(BadPicture picture) {
      count++;
      switch (mode) {
        case LIST -> {
          if (report.json) {
            found.add(picture.message());
          } else {
            console.print(picture.message());
          }
        }
        case SKIP -> {
          if (!report.quiet) {
            console.say("skipped: " + picture.message());
          }
        }
        // The error names the first of them and explains how to list all.
        case FAIL -> {}
      }
    }

    /** Prints the result of {@code --bad-images=list}. */
    public void result(String command, String data, int looked) {
      if (report.json) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("command", command);
        json.put("data", data);
        json.put("looked_at", looked);
        json.put("bad_images", count);
        json.put("list", found);
        console.json(json);
      } else if (!report.quiet) {
        console.say("%s of %s images cannot be used".formatted(count, looked));
      }
    }
  }
}
