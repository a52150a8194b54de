// Hot classes alone, by BenchmarkDotNet with its arguments, such as --filter; or `gzip [--lines FILE.jsonl]`: what each level costs, on lines
// of a node's own if a file names them (objects of the bucket, gunzipped).
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Estat.Microbench;
using Estat.Microbench.Gzip;

const int Rounds = 5;

switch (args)
{
    case ["gzip", "--lines", string file]:
        GzipCost.Run(GzipCost.BatchesOf(await File.ReadAllBytesAsync(file)), Rounds);
        return 0;
    case ["gzip"]:
        GzipCost.Run(GzipCost.Samples(), Rounds);
        return 0;
    default:
        // In this process: the project that BenchmarkDotNet would otherwise generate and build does not know where Directory.Build.props puts
        // outputs.
        Job job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance).WithClock(new ThreadClock()).AsDefault();
        BenchmarkSwitcher.FromAssembly(typeof(BodyKind).Assembly).Run(args, DefaultConfig.Instance.AddJob(job));
        return 0;
}
