// The command line: one verb, one folder, one line here.
using Estat.Cli.Completion;
using Estat.Cli.Frame;
using Estat.Cli.Run;

return await CommandLine.RunAsync(args,
[
    RunVerb.Create(),
    CompletionVerb.Create(),
]).ConfigureAwait(false);
