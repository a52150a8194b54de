global using Estat.Testing;
global using Estat.Topics.Messages;
global using Xunit;
