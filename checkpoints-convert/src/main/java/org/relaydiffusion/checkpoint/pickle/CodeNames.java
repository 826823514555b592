// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.Set;

/**
 * Names that no legitimate checkpoint contains, not even beside its networks: they run code, load
 * code, or access the system and the network. Nothing in a pickle is ever called here, so this list
 * need not be complete; but a file with one of these names should be reported, because other
 * programs would call it.
 */
final class CodeNames {
  /** Modules with all of their content. */
  private static final Set<String> MODULES =
      Set.of(
          "_ctypes",
          "_pickle",
          "_posixsubprocess",
          "_socket",
          "_thread",
          "asyncio",
          "bdb",
          "cPickle",
          "cProfile",
          "code",
          "codeop",
          "commands",
          "ctypes",
          "ftplib",
          "http",
          "httplib",
          "imp",
          "importlib",
          "marshal",
          "multiprocessing",
          "nt",
          "os",
          "pdb",
          "pickle",
          "pip",
          "popen2",
          "posix",
          "profile",
          "pty",
          "pydoc",
          "requests",
          "runpy",
          "shelve",
          "shutil",
          "smtplib",
          "socket",
          "subprocess",
          "sys",
          "tempfile",
          "threading",
          "timeit",
          "trace",
          "urllib",
          "webbrowser",
          "zipimport");

  /** Python's built-in functions among these; the others create values. */
  private static final Set<String> BUILTINS =
      Set.of(
          "__import__",
          "apply",
          "breakpoint",
          "compile",
          "delattr",
          "eval",
          "exec",
          "execfile",
          "exit",
          "file",
          "globals",
          "input",
          "locals",
          "open",
          "quit",
          "raw_input",
          "reload",
          "setattr",
          "vars");

  private static final Set<GlobalName> FUNCTIONS =
      Set.of(
          new GlobalName("types", "CodeType"),
          new GlobalName("types", "FunctionType"),
          new GlobalName("torch", "load"),
          new GlobalName("torch.serialization", "load"),
          new GlobalName("io", "open"),
          new GlobalName("_io", "open"),
          new GlobalName("numpy", "load"));

  private CodeNames() {}

  /** Returns whether a name is one of these. */
  static boolean runs(GlobalName name) {
    String module = name.module();
    int dot = module.indexOf('.');
    String top = dot < 0 ? module : module.substring(0, dot);
    boolean builtin = top.equals("builtins") || top.equals("__builtin__");
    return MODULES.contains(top)
        || top.isEmpty()
        || (builtin && BUILTINS.contains(name.name()))
        || FUNCTIONS.contains(name)
        || module.equals("torch.hub");
  }
}
