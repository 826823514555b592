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

/** What is done about pictures that cannot be used. */
public final class BadImagesOption implements Section {
  @Option(
      names = "--bad-images",
      paramLabel = "fail|skip|list",
      completionCandidates = Candidates.BadImagesNames.class,
      description =
          "What to do about pictures that cannot be read or are unlike the others: look for all of"
              + " them and fail, leave them out, or print which they are and do nothing else."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "fail")
  public BadImages mode = BadImages.FAIL;

  @Override
  public String heading() {
    return "Pictures that cannot be used";
  }

  /**
   * Looks at the pictures of a folder or zip before anything is done with them, and lists the bad
   * ones: as results where only that is asked for, else on standard error.
   *
   * @param options whose draw says which pictures are looked at
   * @param command the command's name, for the result
   * @return what was found, where the bad ones are left out; empty where nothing else is to be done
   * @throws org.relaydiffusion.RdmException when there are bad ones, and that is a failure
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

  /** Tells of bad pictures as they are found. */
  public static final class BadPictureList implements BadPicture.Listener {
    private final BadImages mode;
    private final Console console;
    private final ReportOptions report;
    private final List<String> found = new ArrayList<>();
    private int count;

    /** A list that is told as {@code mode} wants it. */
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
            console.say("left out: " + picture.message());
          }
        }
        // The error has the first of them, and says how to get all.
        case FAIL -> {}
      }
    }

    /** The result of looking for nothing else. */
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
        console.say("%s of %s pictures cannot be used".formatted(count, looked));
      }
    }
  }
}
