import Commands

ICP.main(arguments: nil)
