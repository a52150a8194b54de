// `estat spools`: asked of any silo, by way of any node.
using Estat.Cli.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Estat.Cli.Tests;

public sealed class SpoolsTests
{
    private const string Nodes = """
        {"nodes":[{"node":{"name":"gateway"},"storage":null},{"node":{"name":"silo-1"},"error":"away"},{"node":{"name":"silo-2"},"storage":{}}]}
        """;

    [Fact]
    public async Task A_silo_that_answers_is_asked_and_says_which_spools_nobody_has()
    {
        await using FakeNode node = await FakeNode.StartAsync(context => context.Response.WriteAsync(
            context.Request.Path == "/admin/nodes" ? Nodes
            : context.Request.Query["node"] == "silo-2" ? """{"spools":[{"spool":"aa","node":"silo-2"},{"spool":"bb","node":null}]}""" : "?"));
        (int code, string output) = await EstatCommand.RunAsync("spools", "list", "--url", node.Url);
        Assert.True(code == 0, output);
        Assert.Equal(["SPOOL\tNODE", "aa\tsilo-2", "bb\tno silo has it mounted"], output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_spool_is_forgotten_or_the_node_says_why_not()
    {
        await using FakeNode node = await FakeNode.StartAsync(context =>
        {
            if (context.Request.Method == "GET")
            {
                return context.Response.WriteAsync(Nodes);
            }

            bool isMounted = context.Request.Path == "/admin/spools/aa";
            context.Response.StatusCode = isMounted ? 409 : 200;
            return context.Response.WriteAsync(isMounted ? """{"detail":"A silo has spool aa mounted."}""" : """{"forgotten":"bb"}""");
        });
        (int code, string output) = await EstatCommand.RunAsync("spools", "forget", "bb", "--url", node.Url);
        Assert.True(code == 0, output);
        Assert.StartsWith("bb: its reminder is gone", output, StringComparison.Ordinal);
        (code, output) = await EstatCommand.RunAsync("spools", "forget", "aa", "--url", node.Url);
        Assert.Equal(1, code);
        Assert.Contains("A silo has spool aa mounted", output, StringComparison.Ordinal);
    }
}
