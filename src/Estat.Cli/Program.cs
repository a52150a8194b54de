// The command line: one verb, one folder.
using System.CommandLine;

var root = new RootCommand("Estat: takes events over HTTP and lays them in S3 as gzip JSONL.");
return await root.Parse(args).InvokeAsync().ConfigureAwait(false);
